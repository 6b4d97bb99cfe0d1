// N-body: the orbits of the four giant planets around the sun.
const SOLAR_MASS = 4 * Math.PI * Math.PI, DAYS = 365.24;
const body = (x, y, z, vx, vy, vz, mass) => (
  { x, y, z, vx: vx * DAYS, vy: vy * DAYS, vz: vz * DAYS, mass: mass * SOLAR_MASS });

const bodies = [
  body(0, 0, 0, 0, 0, 0, 1),
  body(4.84143144246472090e00, -1.16032004402742839e00, -1.03622044471123109e-01,
       1.66007664274403694e-03, 7.69901118419740425e-03, -6.90460016972063023e-05, 9.54791938424326609e-04),
  body(8.34336671824457987e00, 4.12479856412430479e00, -4.03523417114321381e-01,
       -2.76742510726411899e-03, 4.99852801234917238e-03, 2.30417297573763929e-05, 2.85885980666130812e-04),
  body(1.28943695621391310e01, -1.51111514016986312e01, -2.23307578892655734e-01,
       2.96460137564761618e-03, 2.37847173959480950e-03, -2.96589568540237556e-05, 4.36624404335156298e-05),
  body(1.53796971148509165e01, -2.59193146099879641e01, 1.79258772950371181e-01,
       2.68067772490389322e-03, 1.62824170038242295e-03, -9.51592254519715870e-05, 5.15138902046611451e-05),
];

function advance(dt, steps) {
  for (let step = 0; step < steps; step++) {
    for (let i = 0; i < bodies.length; i++) {
      const a = bodies[i];
      for (let j = i + 1; j < bodies.length; j++) {
        const b = bodies[j];
        const dx = a.x - b.x, dy = a.y - b.y, dz = a.z - b.z;
        const squared = dx * dx + dy * dy + dz * dz;
        const mag = dt / (squared * Math.sqrt(squared));
        a.vx -= dx * b.mass * mag;
        a.vy -= dy * b.mass * mag;
        a.vz -= dz * b.mass * mag;
        b.vx += dx * a.mass * mag;
        b.vy += dy * a.mass * mag;
        b.vz += dz * a.mass * mag;
      }
    }
    for (const one of bodies) {
      one.x += dt * one.vx;
      one.y += dt * one.vy;
      one.z += dt * one.vz;
    }
  }
}

advance(0.01, 2000000);
console.log(bodies[0].x.toFixed(9));
