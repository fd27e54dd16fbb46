// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A command of {@code ./cairn} that ran to its end, as a process of its own.
 *
 * @param exitStatus as the shell sees it
 * @param out what it wrote to standard output, UTF-8
 * @param err what it wrote to standard error, UTF-8
 */
public record CommandRun(int exitStatus, String out, String err) {
  private static final long END_SECONDS_MAX = 120;

  /** Runs a tool: {@code tool("PUT a b\n", "shell", "--nodes", ...)}. */
  public static CommandRun tool(String input, String... arguments) {
    return run(Children.tool(arguments), input);
  }

  /** Runs a node that is expected to end by itself: {@code node(Map.of(), "node", "5000")}. */
  public static CommandRun node(Map<String, String> environment, String... arguments) {
    ProcessBuilder builder = Children.node(List.of(), arguments);
    builder.environment().putAll(environment);
    return run(builder, "");
  }

  private static CommandRun run(ProcessBuilder builder, String input) {
    Process process = Children.start(builder);
    try {
      CompletableFuture<String> out = read(process.getInputStream());
      CompletableFuture<String> err = read(process.getErrorStream());
      try (OutputStream in = process.getOutputStream()) {
        in.write(input.getBytes(StandardCharsets.UTF_8));
      } catch (IOException endedBeforeItReadAll) {
        // Its exit status tells.
      }
      if (!process.waitFor(END_SECONDS_MAX, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
        throw new IllegalStateException(
            String.join(
                    " ",
                    builder
                        .command()
                        .subList(builder.command().indexOf("-cp") + 2, builder.command().size()))
                + " has not ended after "
                + END_SECONDS_MAX
                + " s. It wrote:\n"
                + out.join()
                + err.join());
      }
      return new CommandRun(process.exitValue(), out.join(), err.join());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    } finally {
      process.destroyForcibly();
    }
  }

  private static CompletableFuture<String> read(InputStream stream) {
    return CompletableFuture.supplyAsync(
        () -> {
          try (stream) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        },
        task -> new Thread(task, "command-output").start());
  }
}
