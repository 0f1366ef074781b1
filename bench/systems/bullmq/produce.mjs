// BullMQ: another broker, Redis, and another language. Enqueues as produce.py does.
import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Queue } from "bullmq";

const [mode, count, work, size] = [process.argv[2], Number(process.argv[3]), process.argv[4], Number(process.argv[5])];
const { hostname, port } = new URL(process.env.BENCH_REDIS);
const queue = new Queue(process.env.BENCH_QUEUE, { connection: { host: hostname, port: Number(port) } });
const options = { removeOnComplete: false, attempts: 3 };

async function enqueue(mode, count, work, size) {
  const job = () => ({ name: "task", data: { work, at: Date.now() / 1000, padding: "x".repeat(size) }, opts: options });
  if (mode !== "bulk") {
    for (let n = 0; n < count; n++) {
      const { name, data, opts } = job();
      await queue.add(name, data, opts);
      if (mode === "spaced") await sleep(100);
    }
  } else {
    for (let n = 0; n < count; n += 1000) {
      await queue.addBulk(Array.from({ length: Math.min(1000, count - n) }, job));
    }
  }
}

await enqueue(mode, 1, "noop", 0);
console.log("warm");
await createInterface({ input: process.stdin }).question("");
const [began, cpu] = [performance.now(), process.cpuUsage()];
await enqueue(mode, count, work, size);
const spent = process.cpuUsage(cpu);
console.log(JSON.stringify({ seconds: (performance.now() - began) / 1000, cpu: (spent.user + spent.system) / 1e6 }));
await queue.close();
process.exit(0);
