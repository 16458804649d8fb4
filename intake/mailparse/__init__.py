"""What `intake.mail` is made of: pure functions from bytes to words. No I/O, no state.

Each is linear in its input and none raises, whatever the bytes.
"""
