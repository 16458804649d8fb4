"""What came attached, looked at before anybody opens it. Pure: bytes in, reasons out; nothing raises."""

from subjectline.intake.attachments.look import look, look_inside

__all__ = ["look", "look_inside"]
