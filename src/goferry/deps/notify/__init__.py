"""Notices: what is new in an audit, told to the people who can act on it.

Each kind of receiver is one file with a plain dialogue: a generator that yields what is to be sent and is given the
answers. It knows the receiver's form and limits, and neither network nor clock. `send` drives the dialogues: retries,
secrets, and the memory of what was told already.
"""
