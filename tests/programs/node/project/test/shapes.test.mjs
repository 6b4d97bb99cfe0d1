import assert from 'node:assert';
import { describe, it, test } from 'node:test';

test('adds', () => assert.strictEqual(1 + 1, 2));
describe('a group', () => {
  it('waits', async () => { await new Promise((done) => setTimeout(done, 2)); });
  it('is skipped', { skip: true }, () => assert.fail());
});
