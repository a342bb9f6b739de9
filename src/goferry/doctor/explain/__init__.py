"""`goferry explain`: the output of a failed command, read offline, becomes one cause or an honest "cannot tell".

clean (bytes to lines) → messages (lines to what one program said at once) → facts (words, hosts and addresses to tags)
→ signatures (tags to a cause, a table) → judge (one verdict over all messages). Nothing here touches the network or
the machine: the same paste gets the same verdict everywhere.
"""
