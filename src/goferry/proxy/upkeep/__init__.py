"""Looking after a store.

contents    what is in it
scrubbing   whether it is still what was proven
collecting  what may go
pins        what must stay
units       the files of one version
records     what a checksum database said of one version
logchecking what the log of one's own holds, and whether it is well
"""
