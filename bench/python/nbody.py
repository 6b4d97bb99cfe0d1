# N-body: the orbits of the four giant planets around the sun.
from itertools import combinations
from math import pi

SOLAR_MASS, DAYS = 4 * pi * pi, 365.24


def body(x, y, z, vx, vy, vz, mass):
    return [x, y, z], [vx * DAYS, vy * DAYS, vz * DAYS], mass * SOLAR_MASS


BODIES = [
    body(0, 0, 0, 0, 0, 0, 1),
    body(4.84143144246472090e00, -1.16032004402742839e00, -1.03622044471123109e-01,
         1.66007664274403694e-03, 7.69901118419740425e-03, -6.90460016972063023e-05, 9.54791938424326609e-04),
    body(8.34336671824457987e00, 4.12479856412430479e00, -4.03523417114321381e-01,
         -2.76742510726411899e-03, 4.99852801234917238e-03, 2.30417297573763929e-05, 2.85885980666130812e-04),
    body(1.28943695621391310e01, -1.51111514016986312e01, -2.23307578892655734e-01,
         2.96460137564761618e-03, 2.37847173959480950e-03, -2.96589568540237556e-05, 4.36624404335156298e-05),
    body(1.53796971148509165e01, -2.59193146099879641e01, 1.79258772950371181e-01,
         2.68067772490389322e-03, 1.62824170038242295e-03, -9.51592254519715870e-05, 5.15138902046611451e-05),
]
PAIRS = list(combinations(BODIES, 2))


def advance(dt, steps):
    for _ in range(steps):
        for (p, v, m), (q, w, n) in PAIRS:
            dx, dy, dz = p[0] - q[0], p[1] - q[1], p[2] - q[2]
            mag = dt * (dx * dx + dy * dy + dz * dz) ** -1.5
            a, b = m * mag, n * mag
            v[0] -= dx * b
            v[1] -= dy * b
            v[2] -= dz * b
            w[0] += dx * a
            w[1] += dy * a
            w[2] += dz * a
        for p, v, _ in BODIES:
            p[0] += dt * v[0]
            p[1] += dt * v[1]
            p[2] += dt * v[2]


advance(0.01, 20000)
print(f"{BODIES[0][0][0]:.9f}")
