# JSON, both ways.
import json

value = [{"number": n, "text": f"row {n} äöü", "list": list(range(20)), "nested": {"a": None, "b": n / 7}} for n in range(500)]
for _ in range(40):
    value = json.loads(json.dumps(value, indent=1))
print(len(json.dumps(value)))
