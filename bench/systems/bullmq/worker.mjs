// BullMQ's worker: does what work.py does.
import { openSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "bullmq";

const done = openSync(process.env.BENCH_DONE, "a");
const { hostname, port } = new URL(process.env.BENCH_REDIS);

const WAIT_MS = { wait: 50, "wait-100": 100 };
const CPU_MS = { cpu: 5, "cpu-1": 1 };

function burn(ms) {
  const start = process.cpuUsage();
  for (;;) {
    const spent = process.cpuUsage(start);
    if (spent.user + spent.system >= ms * 1000) return;
  }
}

const worker = new Worker(
  process.env.BENCH_QUEUE,
  async (job) => {
    const began = Date.now() / 1000;
    if (job.data.work in WAIT_MS) await sleep(WAIT_MS[job.data.work]);
    else if (job.data.work in CPU_MS) burn(CPU_MS[job.data.work]);
    const record = Buffer.alloc(24);
    record.writeDoubleLE(job.data.at, 0);
    record.writeDoubleLE(began, 8);
    record.writeDoubleLE(Date.now() / 1000, 16);
    writeSync(done, record);
    return 1;
  },
  { connection: { host: hostname, port: Number(port) }, concurrency: Number(process.env.BENCH_SLOTS) },
);
process.on("SIGTERM", async () => {
  await worker.close(true);
  process.exit(0);
});
