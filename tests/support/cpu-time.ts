/**
 * Starts a stopwatch of the processor time that this process uses; each call of it tells the milliseconds so far. Unlike
 * a clock it does not run on while other processes have the processor.
 */
export function startCpuTime(): () => number {
  const start = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  };
}
