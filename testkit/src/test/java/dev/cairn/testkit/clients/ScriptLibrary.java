// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.clients;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** A library of another language: a script of {@code testkit/clients} that is told the steps. */
final class ScriptLibrary implements Library {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String name;
  private final String expectedErrors;
  private final Process process;
  private final BufferedWriter steps;
  private final BufferedReader answers;

  /**
   * Starts the script; returns when it is connected.
   *
   * @param expectedErrors a pattern of what it may meet while a node is lost
   * @param script its name in {@code testkit/clients}
   */
  ScriptLibrary(String name, String expectedErrors, Seed seed, String interpreter, String script) {
    this.name = name;
    this.expectedErrors = expectedErrors;
    List<String> command =
        new ArrayList<>(List.of(interpreter, script, seed.host(), Integer.toString(seed.port())));
    seed.account()
        .ifPresent(
            account ->
                command.addAll(
                    List.of(account.ca().toString(), account.user(), account.password())));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(Path.of(System.getProperty("cairn.checkout"), "testkit/clients").toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT);
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    steps = process.outputWriter(StandardCharsets.UTF_8);
    answers = process.inputReader(StandardCharsets.UTF_8);
    answer("connecting");
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public void worksOnTheClientPort() {
    step("client-port");
  }

  @Override
  public boolean hasClusterMode() {
    return true;
  }

  @Override
  public void worksInClusterMode() {
    step("cluster-mode");
  }

  @Override
  public void requests(int count) {
    step("requests " + count);
  }

  @Override
  public List<String> reading(String key) {
    return texts(step("reading " + key));
  }

  @Override
  public List<String> comingWith(String password) {
    return texts(step("coming-with " + password));
  }

  private static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    array.forEach(text -> texts.add(text.asText()));
    return texts;
  }

  @Override
  public void begin() {
    step("begin");
  }

  @Override
  public long rounds() {
    return step("rounds").asLong();
  }

  @Override
  public String expectedErrors() {
    return expectedErrors;
  }

  @Override
  public Map<String, Long> finish() {
    Map<String, Long> errors = new TreeMap<>();
    step("finish")
        .properties()
        .forEach(error -> errors.put(error.getKey(), error.getValue().asLong()));
    return errors;
  }

  private JsonNode step(String words) {
    try {
      steps.write(words);
      steps.newLine();
      steps.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return answer(words);
  }

  private JsonNode answer(String step) {
    try {
      String line = answers.readLine();
      if (line == null) {
        throw new IllegalStateException(name + " ended while " + step);
      }
      JsonNode answer = JSON.readTree(line);
      if (answer.has("error")) {
        throw new AssertionError(name + ", " + step + ": " + answer.get("error").asText());
      }
      return answer.get("ok");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      steps.close();
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
