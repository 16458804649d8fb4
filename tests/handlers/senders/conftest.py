from bot_api import api as api
from bot_api import clock as clock
from bot_api import emulator as emulator
