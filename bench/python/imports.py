# Modules that many scripts begin with.
import asyncio, datetime, json, re

print(json.dumps([re.__name__, datetime.__name__, asyncio.__name__]))
