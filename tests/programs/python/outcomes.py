"""One module of CPython's own tests, run as `python3 -m test` runs it, and told test by test.

    outcomes.py MODULE FILE

FILE gets a line for each test as it ends, its outcome and its name, and `end` when all have: what breaks off is seen.
"""
import importlib
import sys
import unittest
from test import support


class Outcomes(unittest.TestResult):
    """The worst that happened to each test, its parts included."""

    def __init__(self, report):
        super().__init__()
        self.report = report
        self.outcome = None

    def startTest(self, test):
        super().startTest(test)
        self.outcome = "ok"

    def stopTest(self, test):
        super().stopTest(test)
        self.tell(self.outcome, test)
        self.outcome = None

    def tell(self, outcome, test):
        print(outcome, test.id().replace("\n", " "), file=self.report, flush=True)

    def happened(self, outcome, test):
        if self.outcome is None:
            # Not in a test, but in what prepares a class or a module for them.
            self.tell(outcome, test)
        elif self.outcome in ("ok", "skip"):
            self.outcome = outcome

    def explain(self, test, error):
        print(test.id(), self._exc_info_to_string(error, test), sep="\n", file=sys.__stderr__, flush=True)

    def addFailure(self, test, error):
        self.happened("fail", test)
        self.explain(test, error)

    def addError(self, test, error):
        self.happened("error", test)
        self.explain(test, error)

    def addSubTest(self, test, part, error):
        if error is not None:
            self.happened("fail" if issubclass(error[0], test.failureException) else "error", test)
            self.explain(part, error)

    def addSkip(self, test, reason):
        if self.outcome in (None, "ok"):
            self.happened("skip", test)

    def addExpectedFailure(self, test, error):
        self.happened("expected failure", test)

    def addUnexpectedSuccess(self, test):
        self.happened("unexpected success", test)


def tests_of(suite):
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            yield from tests_of(part)
        else:
            yield part


def main(module, report):
    # Nothing that needs much time, memory, the network or a screen.
    support.use_resources = ()
    with open(report, "w", encoding="utf-8", errors="backslashreplace") as report:
        loaded = unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(module))
        unittest.TestSuite(tests_of(loaded)).run(Outcomes(report))
        print("end", file=report)


if __name__ == "__main__":
    main(*sys.argv[1:])
