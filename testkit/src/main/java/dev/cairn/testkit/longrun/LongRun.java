// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.longrun;

import dev.cairn.client.CairnClient;
import dev.cairn.protocol.Slots;
import dev.cairn.testkit.Availability;
import dev.cairn.testkit.ProcessCluster;
import dev.cairn.testkit.Status;
import dev.cairn.testkit.fault.Fault;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/**
 * Drives a cluster, breaks it again and again, and decides all the while whether what its clients
 * were told is linearizable.
 *
 * <p>Threads: the caller's injects faults; each client has its own; one moves the clients from
 * window to window, and one audits those that they left.
 */
public final class LongRun {
  /** What a run is to be. */
  public record Plan(
      Duration duration,
      int rounds,
      long seed,
      int clients,
      int keys,
      Duration window,
      Duration pauseMax,
      List<Fault> faults) {
    /** At least 50 contended keys, and as many clients as leave the nodes some of the machine. */
    public static Plan of(long seed, List<Fault> faults) {
      return new Plan(
          Duration.ofDays(365),
          Integer.MAX_VALUE,
          seed,
          24,
          64,
          Duration.ofSeconds(10),
          Duration.ofMillis(12),
          List.copyOf(faults));
    }

    /** Until then, whatever is going on. */
    public Plan lasting(Duration longest) {
      return new Plan(longest, rounds, seed, clients, keys, window, pauseMax, faults);
    }

    /** That many clients, each with a pause of at most so long between two requests. */
    public Plan clients(int count, Duration pause) {
      return new Plan(duration, rounds, seed, count, keys, window, pause, faults);
    }

    /** Deciding the history each so often. */
    public Plan windows(Duration length) {
      return new Plan(duration, rounds, seed, clients, keys, length, pauseMax, faults);
    }

    /** Until each fault was injected so often. */
    public Plan rounds(int count) {
      return new Plan(duration, count, seed, clients, keys, window, pauseMax, faults);
    }
  }

  private static final int WINDOWS_WAITING_MAX = 30;
  private static final long LOOK_EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final ProcessCluster cluster;
  private final Plan plan;
  private final PrintStream progress;
  private final Queue<String> violations = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean ended = new AtomicBoolean();
  private final Queue<Window> left = new ConcurrentLinkedQueue<>(); // in their order
  private volatile Window window;

  private LongRun(ProcessCluster cluster, Plan plan, PrintStream progress) {
    this.cluster = cluster;
    this.plan = plan;
    this.progress = progress;
  }

  /**
   * Runs a plan on a healthy cluster.
   *
   * @param progress a line for each fault
   */
  public static Report run(ProcessCluster cluster, Plan plan, PrintStream progress) {
    return new LongRun(cluster, plan, progress).run();
  }

  private Report run() {
    List<Status.Partition> partitions = cluster.status().partitionList();
    Availability availability = new Availability(partitions.size(), System::nanoTime);
    Random random = new Random(plan.seed());
    window = new Window(0, plan.keys());
    Nemesis nemesis =
        new Nemesis(
            cluster,
            plan.faults(),
            availability,
            () -> window.keys().get(random.nextInt(plan.keys())),
            plan.seed());
    List<CairnClient> readers = readers();
    Auditor auditor = new Auditor(readers, this::violated);
    long begun = System.nanoTime();
    Workload workload =
        new Workload(
            cluster,
            key -> partitionOf(key, partitions),
            availability,
            this::violated,
            plan.pauseMax().toNanos());
    Thread moving = new Thread(() -> move(workload), "windows");
    Thread auditing = new Thread(() -> audit(moving, auditor), "auditor");
    try {
      workload.start(window, plan.clients(), plan.seed());
      moving.start();
      auditing.start();
      inject(nemesis, workload, begun);
    } finally {
      workload.close();
      ended.set(true);
      join(moving);
      join(auditing);
      readers.forEach(CairnClient::close);
    }
    return new Report(
        plan.seed(),
        Duration.ofNanos(System.nanoTime() - begun),
        workload.operations(),
        workload.writes(),
        workload.unknown(),
        workload.failed(),
        auditor.audited(),
        Report.rows(nemesis.tallies()),
        List.copyOf(violations));
  }

  /** Through each node, and one that finds its way. */
  private List<CairnClient> readers() {
    List<CairnClient> readers = new ArrayList<>();
    readers.add(cluster.client().build());
    IntStream.range(0, cluster.size())
        .forEach(node -> readers.add(cluster.clientThrough(node).build()));
    return readers;
  }

  private static int partitionOf(String key, List<Status.Partition> partitions) {
    int slot = Slots.of(key.getBytes(StandardCharsets.UTF_8));
    for (Status.Partition partition : partitions) {
      if (partition.firstSlot() <= slot && slot <= partition.lastSlot()) {
        return partition.index();
      }
    }
    throw new IllegalStateException("no partition has slot " + slot);
  }

  private void inject(Nemesis nemesis, Workload workload, long begun) {
    long faultsMax = (long) plan.rounds() * plan.faults().size();
    while (nemesis.count() < faultsMax
        && violations.isEmpty()
        && System.nanoTime() - begun < plan.duration().toNanos()) {
      try {
        Nemesis.Injected injected = nemesis.next();
        progress.println(line(nemesis, workload, injected, System.nanoTime() - begun));
        List<Integer> dead =
            cluster.indexes().stream().filter(node -> !cluster.node(node).running()).toList();
        if (!dead.isEmpty()) {
          violated("nodes " + dead + " ended by themselves\n" + cluster.logTails());
        }
      } catch (RuntimeException notHealthyAgain) {
        violated("after " + nemesis.count() + " faults: " + notHealthyAgain);
      }
    }
  }

  private static String line(
      Nemesis nemesis, Workload workload, Nemesis.Injected injected, long nanos) {
    long seconds = TimeUnit.NANOSECONDS.toSeconds(nanos);
    return String.format(
        "%d:%02d:%02d  %,d operations, %.2f %% unknown, %d faults; %s on node %d%s: %.1f s without a"
            + " write",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        workload.operations(),
        100.0 * workload.unknown() / Math.max(1, workload.operations()),
        nemesis.count(),
        injected.fault(),
        injected.node(),
        injected.onLeader() ? " (leader)" : "",
        injected.unavailableNanos() / 1e9);
  }

  /** Moves the clients on to another window, each so often. */
  private void move(Workload workload) {
    for (int number = 1; !ended.get(); number++) {
      waitFor(plan.window());
      Window next = new Window(number, plan.keys());
      Window before = window;
      workload.moveTo(next);
      window = next;
      left.add(before);
    }
    window.shut();
    left.add(window);
  }

  /** Audits a window when the one after it is over too; the last ones when all is over. */
  private void audit(Thread moving, Auditor auditor) {
    try {
      while (moving.isAlive() || !left.isEmpty()) {
        if (left.size() > WINDOWS_WAITING_MAX) {
          violated(left.size() + " windows wait for their last answers, or for the audit");
          return;
        }
        Window oldest = left.peek();
        if (oldest != null && oldest.isLeft() && (left.size() > 1 || !moving.isAlive())) {
          auditor.audit(left.remove());
        } else {
          LockSupport.parkNanos(LOOK_EVERY_NANOS);
        }
      }
      auditor.auditEverything();
    } catch (RuntimeException e) {
      violated("the audit failed: " + e);
    }
  }

  private void waitFor(Duration duration) {
    long begun = System.nanoTime();
    while (System.nanoTime() - begun < duration.toNanos() && !ended.get()) {
      LockSupport.parkNanos(LOOK_EVERY_NANOS);
    }
  }

  private void violated(String what) {
    violations.add(what);
    progress.println("VIOLATION: " + what);
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
