"""Every kind of outcome that unittest tells: some fail on purpose."""
import asyncio
import doctest
import tempfile
import unittest
from unittest import mock

import parcels


def load_tests(loader, tests, pattern):
    tests.addTests(doctest.DocTestSuite(parcels))
    return tests


class Packing(unittest.TestCase):
    def test_first_fit(self):
        self.assertEqual(parcels.pack([1, 9, 5, 5]), [[9, 1], [5, 5]])

    def test_too_heavy(self):
        with self.assertRaisesRegex(parcels.TooHeavy, "11 is more"):
            parcels.pack([11])

    def test_parts(self):
        for limit in range(3, 6):
            with self.subTest(limit=limit):
                self.assertLess(len(parcels.pack([3, 2, 1], limit)), 2)

    def test_wrong_on_purpose(self):
        self.assertEqual(parcels.pack([2, 2]), [[2], [2]])

    def test_mistaken_on_purpose(self):
        parcels.pack(None)

    @unittest.skip("for later")
    def test_later(self):
        raise AssertionError

    @unittest.expectedFailure
    def test_expected(self):
        self.assertTrue(False)

    def test_temporary_file(self):
        with tempfile.TemporaryFile() as file:
            file.write(b"kept")
            file.seek(0)
            self.assertEqual(file.read(), b"kept")


class Later(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.sleep = mock.AsyncMock(return_value=3)

    async def test_mocked(self):
        self.assertEqual(await self.sleep(1), 3)
        self.sleep.assert_awaited_once_with(1)

    async def test_slept(self):
        await asyncio.sleep(0)
