"""How long proofs live and how often one may be asked for. Figures of the desk, not of a law."""

from datetime import timedelta

CODE_LIVES = timedelta(minutes=10)
REPLY_LIVES = timedelta(hours=72)  # 256 random bits need no haste; as long as a provisional hold
TRIES = 5
CODES_AN_HOUR = 3
CODES_A_DAY = 10
CHANNEL_LIVES = timedelta(days=30)
CONTACT_LIVES = timedelta(hours=24)
PROVISIONAL_EVERY = timedelta(days=30)
PROVISIONAL_LIVES = timedelta(hours=72)
REMIND_AFTER = timedelta(days=1)
