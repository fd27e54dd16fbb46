// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.differential;

import dev.cairn.testkit.ProcessCluster;
import dev.cairn.testkit.RedisServer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The differential test as a command: {@code .ci/differential --commands 1000000 --seed 7}, or with
 * {@code --pipelines}.
 */
@Command(
    name = "differential",
    mixinStandardHelpOptions = true,
    description =
        "Send the same random commands to the redis-server of this machine and to three nodes, and"
            + " compare every reply.",
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:no difference",
      "1:differences, each printed with what led to it",
      "3:void: more than 1 %% of the outcomes are unknown, Redis refused fewer than 20 %% of the"
          + " commands, or, of 10,000 and more, fewer than one in 200 was of some kind"
    })
public final class DifferentialCommand implements Callable<Integer> {
  private static final int REFUSED_PERCENT_MIN = 20;
  private static final int ONE_OF_A_KIND_IN = 200; // 5,000 in a million
  private static final int COMMANDS_THAT_ARE_ENOUGH = 10_000;

  @Option(
      names = "--commands",
      paramLabel = "N",
      defaultValue = "50000",
      description = "How many in all (default: 50000).")
  private long commands;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Of all choices; taken from the clock unless given, and printed.")
  private Long seed;

  @Option(
      names = "--lanes",
      paramLabel = "N",
      defaultValue = "48",
      description = "Sequences side by side, each with keys of its own (default: 48).")
  private int lanes;

  @Option(
      names = "--pipelines",
      description =
          "Send pipelines of 2 to 50 commands, each on one connection, in one write or cut at"
              + " random bytes.")
  private boolean pipelines;

  /** Runs it. */
  public static void main(String[] arguments) {
    System.exit(new CommandLine(new DifferentialCommand()).execute(arguments));
  }

  @Override
  public Integer call() throws InterruptedException {
    long chosen = Optional.ofNullable(seed).orElseGet(System::nanoTime);
    System.out.printf("seed %d%n", chosen);
    try (RedisServer redis = RedisServer.start();
        ProcessCluster cluster = ProcessCluster.of(3).start();
        Progress progress = new Progress(commands)) {
      cluster.awaitHealthy();
      long before = System.nanoTime();
      List<Differential.Server> nodes = new ArrayList<>();
      cluster.indexes().forEach(node -> nodes.add(() -> cluster.connect(node)));
      Differential.Outcome outcome =
          pipelines
              ? Pipelines.run(nodes, redis::connect, chosen, commands, lanes, progress::add)
              : Differential.run(nodes, redis::connect, chosen, commands, lanes, progress::add);
      outcome.differences().forEach(System.out::println);
      System.out.printf(
          "%d commands in %d s, %d%% refused by Redis, each of %d kinds at least %d times, %d"
              + " unknown, %d differences%n",
          outcome.commands(),
          (System.nanoTime() - before) / 1_000_000_000,
          outcome.refusedPercent(),
          outcome.counts().size(),
          outcome.rarest(),
          outcome.unknown(),
          outcome.differences().size());
      return status(outcome);
    }
  }

  /** Differences first: a run that found some is not void. */
  private int status(Differential.Outcome outcome) {
    if (!outcome.differences().isEmpty()) {
      return 1;
    }
    List<String> tooLittle = new ArrayList<>();
    if (outcome.unknown() > outcome.commands() / 100) {
      tooLittle.add("more than 1 % of the outcomes are unknown: run it on a machine less busy");
    }
    if (outcome.refusedPercent() < REFUSED_PERCENT_MIN) {
      tooLittle.add("fewer than %d %% were refused".formatted(REFUSED_PERCENT_MIN));
    }
    long ofAKindMin = commands / ONE_OF_A_KIND_IN;
    if (commands >= COMMANDS_THAT_ARE_ENOUGH && outcome.rarest() < ofAKindMin) {
      tooLittle.add("some kind was sent fewer than %d times".formatted(ofAKindMin));
    }
    tooLittle.forEach(why -> System.out.println("void: " + why));
    return tooLittle.isEmpty() ? 0 : 3;
  }
}
