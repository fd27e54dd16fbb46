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
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Drives a cluster, breaks it again and again, and decides all the while whether what its clients
 * were told is linearizable.
 *
 * <p>Threads: the caller's injects faults; each client has its own; one moves the clients from
 * window to window, and one audits those that they left.
 */
public final class LongRun {
  /**
   * What a run is to be: as long as the longest of what is asked for takes.
   *
   * @param atLeast for so long
   * @param atMost then it ends, whatever is missing
   * @param rounds until each fault was injected so often
   * @param operations until so many operations were checked, about
   * @param beside faults that leave the nodes running, injected while others are under way
   */
  public record Plan(
      Duration atLeast,
      Duration atMost,
      int rounds,
      long operations,
      long seed,
      int clients,
      int keys,
      Duration window,
      Duration pauseMax,
      List<Fault> faults,
      List<Fault> beside) {
    /** At least 50 contended keys, and as many clients as leave the nodes some of the machine. */
    public static Plan of(long seed, List<Fault> faults) {
      return new Plan(
          Duration.ZERO,
          Duration.ofDays(365),
          0,
          0,
          seed,
          24,
          64,
          Duration.ofSeconds(10),
          Duration.ofMillis(12),
          List.copyOf(faults),
          List.of());
    }

    /** At least for so long. */
    public Plan lasting(Duration shortest) {
      return new Plan(
          shortest,
          atMost,
          rounds,
          operations,
          seed,
          clients,
          keys,
          window,
          pauseMax,
          faults,
          beside);
    }

    /** No longer than that, whatever is going on. */
    public Plan atMost(Duration longest) {
      return new Plan(
          atLeast,
          longest,
          rounds,
          operations,
          seed,
          clients,
          keys,
          window,
          pauseMax,
          faults,
          beside);
    }

    /** That many clients, each with a pause of at most so long between two requests. */
    public Plan clients(int count, Duration pause) {
      return new Plan(
          atLeast, atMost, rounds, operations, seed, count, keys, window, pause, faults, beside);
    }

    /** Deciding the history each so often. */
    public Plan windows(Duration length) {
      return new Plan(
          atLeast,
          atMost,
          rounds,
          operations,
          seed,
          clients,
          keys,
          length,
          pauseMax,
          faults,
          beside);
    }

    /** Until each fault was injected so often. */
    public Plan rounds(int count) {
      return new Plan(
          atLeast,
          atMost,
          count,
          operations,
          seed,
          clients,
          keys,
          window,
          pauseMax,
          faults,
          beside);
    }

    /** Until so many operations were checked. */
    public Plan operations(long count) {
      return new Plan(
          atLeast, atMost, rounds, count, seed, clients, keys, window, pauseMax, faults, beside);
    }

    /** With these faults beside the others. */
    public Plan beside(List<Fault> more) {
      return new Plan(
          atLeast,
          atMost,
          rounds,
          operations,
          seed,
          clients,
          keys,
          window,
          pauseMax,
          faults,
          List.copyOf(more));
    }
  }

  private static final int WINDOWS_WAITING_MAX = 30;
  private static final long LOOK_EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final ProcessCluster cluster;
  private final Plan plan;
  private final PrintStream progress;
  private final Queue<String> violations = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean injected = new AtomicBoolean();
  private final AtomicBoolean ended = new AtomicBoolean();
  private final Queue<Window> left = new ConcurrentLinkedQueue<>(); // in their order
  private volatile Window window;

  private LongRun(ProcessCluster cluster, Plan plan, PrintStream progress) {
    this.cluster = cluster;
    this.plan = plan;
    this.progress = progress;
  }

  /**
   * Runs a plan on a cluster that was started; one that does not become healthy is a violation.
   *
   * @param progress a line for each fault
   */
  public static Report run(ProcessCluster cluster, Plan plan, PrintStream progress) {
    return new LongRun(cluster, plan, progress).run();
  }

  private Report run() {
    try {
      cluster.awaitHealthy();
    } catch (IllegalStateException neverHealthy) {
      violated("before the first fault: " + neverHealthy);
      return new Report(
          plan.seed(), Duration.ZERO, 0, 0, 0, 0, 0, 0, List.of(), List.copyOf(violations));
    }
    List<Status.Partition> partitions = cluster.status().partitionList();
    Availability availability = new Availability(partitions.size(), System::nanoTime);
    Random random = new Random(plan.seed());
    window = new Window(0, plan.keys());
    Supplier<String> anyKey = () -> window.keys().get(random.nextInt(plan.keys()));
    Nemesis nemesis = new Nemesis(cluster, plan.faults(), availability, anyKey, true, plan.seed());
    Availability besideAvailability = new Availability(partitions.size(), System::nanoTime);
    Nemesis beside =
        new Nemesis(cluster, plan.beside(), besideAvailability, anyKey, false, plan.seed() + 1);
    List<CairnClient> readers = readers();
    Auditor auditor = new Auditor(readers, this::violated);
    long begun = System.nanoTime();
    Workload workload =
        new Workload(
            cluster,
            key -> {
              int partition = partitionOf(key, partitions);
              availability.acknowledged(partition);
              besideAvailability.acknowledged(partition);
            },
            this::violated,
            plan.pauseMax().toNanos());
    Thread moving = new Thread(() -> move(workload), "windows");
    Thread auditing = new Thread(() -> audit(moving, auditor), "auditor");
    Thread injecting = new Thread(() -> injectBeside(beside), "faults-beside");
    try {
      workload.start(window, plan.clients(), plan.seed());
      moving.start();
      auditing.start();
      injecting.start();
      inject(nemesis, beside, workload, begun);
    } finally {
      injected.set(true);
      join(injecting);
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
        workload.malformed(),
        auditor.audited(),
        Stream.of(nemesis, beside).flatMap(each -> Report.rows(each.tallies()).stream()).toList(),
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

  private void inject(Nemesis nemesis, Nemesis beside, Workload workload, long begun) {
    while (violations.isEmpty() && goesOn(nemesis, beside, workload, begun)) {
      try {
        Nemesis.Injected last = nemesis.next();
        progress.println(line(nemesis, workload, last, System.nanoTime() - begun));
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

  private boolean goesOn(Nemesis nemesis, Nemesis beside, Workload workload, long begun) {
    long nanos = System.nanoTime() - begun;
    boolean enough =
        nanos >= plan.atLeast().toNanos()
            && Math.min(nemesis.rounds(), beside.rounds()) >= plan.rounds()
            && workload.operations() >= plan.operations();
    return !enough && nanos < plan.atMost().toNanos();
  }

  /** What leaves the nodes running, beside what does not. */
  private void injectBeside(Nemesis beside) {
    while (!injected.get() && !plan.beside().isEmpty()) {
      try {
        beside.next();
      } catch (RuntimeException e) {
        violated("a fault beside the others: " + e);
        return;
      }
    }
  }

  private static String line(
      Nemesis nemesis, Workload workload, Nemesis.Injected last, long nanos) {
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
        last.fault(),
        last.node(),
        last.onLeader() ? " (leader)" : "",
        last.unavailableNanos() / 1e9);
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
