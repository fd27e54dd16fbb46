// SPDX-License-Identifier: Apache-2.0
// Which copies lag. Reports of nodes are up to a second and a half old, so under load every follower
// seems to be behind by what was written since. One lags that was far behind at each of the last looks, or
// behind by the very same while nothing was written.

const LOOKS = 3;
const FAR = 1000; // log entries

export class Lagging {
  #looks = new Map(); // partition/node → the lag at the last looks, the latest last

  /** Takes a look. */
  observe(status) {
    for (const partition of status.partitionList ?? []) {
      for (const replica of partition.replicas) {
        const key = `${partition.index}/${replica.node}`;
        this.#looks.set(key, [...(this.#looks.get(key) ?? []), replica.lag ?? 0].slice(-LOOKS));
      }
    }
  }

  /** Whether a copy lags. */
  lags(partition, node) {
    const looks = this.#looks.get(`${partition}/${node}`) ?? [];
    const [first] = looks;
    return looks.length === LOOKS && first > 0 && (looks.every((lag) => lag > FAR) || looks.every((lag) => lag === first));
  }
}
