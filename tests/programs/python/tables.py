"""numpy and pandas: linear algebra, random numbers, FFT, dates, groups, files in the directory that is granted."""
import sys

import numpy as np
import pandas as pd

DIRECTORY = sys.argv[1]


def numbers():
    generator = np.random.default_rng(7)
    matrix = generator.normal(size=(200, 200))
    solution = np.linalg.solve(matrix, np.ones(200))
    print("solved", np.allclose(matrix @ solution, 1))
    print("eigenvalues", np.round(np.linalg.eigvalsh(matrix @ matrix.T)[-3:], 6))
    print("spectrum", np.round(np.abs(np.fft.rfft(np.sin(np.arange(64)))), 6)[:8])
    print("sorted", np.sort(generator.integers(0, 1000, 10)), generator.permutation(8))
    print("masked", np.ma.masked_less(np.arange(6), 3).sum(), np.einsum("ij,ji", matrix, matrix).round(6))
    np.save(DIRECTORY + "/matrix.npy", matrix)
    mapped = np.load(DIRECTORY + "/matrix.npy", mmap_mode="r")
    print("mapped", mapped.shape, mapped.sum().round(6), np.array_equal(mapped, matrix))


def tables():
    days = pd.date_range("2024-02-27", periods=500, freq="6h", tz="Europe/Berlin")
    generator = np.random.default_rng(11)
    table = pd.DataFrame({"day": days, "kind": generator.choice(list("abc"), 500), "value": generator.normal(size=500).round(6)})
    print(table.describe().round(4).to_string())
    print(table.groupby("kind").value.agg(["count", "mean", "max"]).round(4).to_string())
    print(table.set_index("day").value.resample("MS").sum().round(4).to_string())
    print(table.pivot_table(index=table.day.dt.day_of_week, columns="kind", values="value").round(3).to_string())
    print(table.merge(pd.DataFrame({"kind": list("ab"), "name": ["A", "B"]})).name.value_counts().to_dict())
    table.to_csv(DIRECTORY + "/table.csv", index=False)
    table.to_json(DIRECTORY + "/table.json", orient="records", date_format="iso")
    again = pd.read_csv(DIRECTORY + "/table.csv", parse_dates=["day"])
    print(again.dtypes.astype(str).to_dict(), again.value.equals(table.value))
    print(table.query("value > 2 and kind != 'a'").to_html(index=False))


numbers()
tables()
