// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.protocol.RespValue;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** export and import: whole, in order, and gone on with wherever they were cut. */
final class ExportImportTest {
  private static final long YEAR_3000_MILLIS = 32_503_680_000_000L;

  @TempDir private Path folder;
  private FakeCluster from;
  private FakeCluster to;

  @BeforeEach
  void start() throws IOException {
    from = new FakeCluster(5);
    to = new FakeCluster(3);
  }

  @AfterEach
  void stop() throws IOException {
    from.close();
    to.close();
  }

  @Test
  void theLinesThatAreWritten() {
    put("b", "two\n");
    put("a", "1");
    from.expiries.put("a", YEAR_3000_MILLIS);
    put("a\u00ff", "\u0000\u00fe");
    put("\u00c3\u00a4", "\"\u00c3\u00a4\"");
    put("empty", "");
    put("control", "\u0001\u0002\u0003");

    ToolRun run = export("-");
    assertThat(run.exitStatus()).as(run.err()).isZero();
    assertThat(run.out())
        .isEqualTo(
            """
            {"cairnExport":1,"cluster":"cluster","prefix":""}
            {"key":"a","value":"1","expiresAtMillis":32503680000000}
            {"keyBase64":"Yf8=","valueBase64":"AP4="}
            {"key":"b","value":"two\\n"}
            {"key":"control","valueBase64":"AQID"}
            {"key":"empty","value":""}
            {"key":"ä","value":"\\"ä\\""}
            {"end":true,"records":6}
            """);
    assertThat(run.err()).startsWith("Exported 6 records in ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"all.jsonl", "all.jsonl.gz", "-"})
  void whateverIsInItIsWholeInAnotherCluster(String name) throws IOException {
    long seed = new Random().nextLong();
    fill(new Random(seed), 500);
    byte[] large = new byte[3 << 20];
    new Random(seed).nextBytes(large);
    from.values.put("large", new RespValue.Bulk(large));

    byte[] piped = new byte[0];
    String file = name.equals("-") ? "-" : folder.resolve(name).toString();
    ToolRun out = export(file);
    assertThat(out.exitStatus()).as(out.err()).isZero();
    if (name.equals("-")) {
      piped = out.outBytes();
    } else {
      assertThat(folder.resolve(name + ".part")).doesNotExist();
    }
    ToolRun in = ToolRun.of(piped, "import", "--nodes", to.nodes(), file);

    assertThat(in.exitStatus()).as(in.err()).isZero();
    assertThat(in.out()).startsWith("Stored 501, failed 0, unknown 0 in ");
    assertThat(to.values).as("seed " + seed).isEqualTo(from.values);
    assertThat(to.expiries).isEqualTo(from.expiries);
  }

  @Test
  void keysComeInTheOrderOfTheirBytesAndByPrefix() throws IOException {
    fill(new Random(7), 300);
    List<String> keys = keys(export("-").outBytes());
    assertThat(keys).isEqualTo(new ArrayList<>(new TreeMap<>(from.values).keySet())).hasSize(300);

    put("user:1", "a");
    put("user:2", "b");
    put("user;", "c");
    put("uses", "d");
    assertThat(keys(export("-", "--prefix", "user:").outBytes()))
        .containsExactly("user:1", "user:2");
    assertThat(keys(export("-", "--prefix", "user:", "--after", "user:1").outBytes()))
        .containsExactly("user:2");
    assertThat(keys(export("-", "--prefix", "user:", "--after", "a").outBytes()))
        .containsExactly("user:1", "user:2");
    assertThat(keys(export("-", "--prefix", "user:", "--after", "v").outBytes())).isEmpty();
    assertThat(keys(export("-", "--after", "\"user\\x3a2\"", "--prefix", "use").outBytes()))
        .containsExactly("user;", "uses");
  }

  /** Cut at any byte, as a kill or a full disk cuts it, the file is gone on with. */
  @ParameterizedTest
  @CsvSource({"plain.jsonl, 20", "packed.jsonl.gz, 3000"})
  void aFileThatWasCutAnywhereIsGoneOnWith(String name, int valueBytes) throws IOException {
    Random random = new Random(11);
    for (int i = 0; i < 400; i++) {
      byte[] value = new byte[valueBytes];
      random.nextBytes(value);
      from.values.put("key" + i, new RespValue.Bulk(value));
    }
    Path whole = folder.resolve(name);
    assertThat(export(whole.toString()).exitStatus()).isZero();
    byte[] bytes = Files.readAllBytes(whole);
    List<String> keys = keys(unpacked(bytes));

    for (int i = 0; i < 12; i++) {
      int cut = i == 0 ? 0 : i == 1 ? bytes.length - 1 : random.nextInt(bytes.length);
      Files.delete(whole);
      Files.write(folder.resolve(name + ".part"), Arrays.copyOf(bytes, cut));
      ToolRun again = export(whole.toString());

      assertThat(again.exitStatus()).as("cut at %d: %s", cut, again.err()).isZero();
      byte[] made = unpacked(Files.readAllBytes(whole));
      assertThat(keys(made)).as("cut at %d", cut).isEqualTo(keys);
      assertThat(new String(made, UTF_8)).endsWith("{\"end\":true,\"records\":400}\n");
    }
  }

  @Test
  void anExportThatCannotGoOnSaysSoAndIsGoneOnWithWhatIsThere() throws IOException {
    for (int i = 100; i < 200; i++) {
      from.values.put("key" + i, new RespValue.Bulk(new byte[100_000]));
    }
    AtomicInteger pages = new AtomicInteger();
    from.first(
        words ->
            words.contains("RANGE") && pages.incrementAndGet() > 12
                ? Optional.of(new RespValue.ErrorReply("CLUSTERDOWN no leader"))
                : Optional.empty());
    Path file = folder.resolve("all.jsonl");
    ToolRun stopped = export(file.toString(), "--give-up", "1");
    assertThat(stopped.exitStatus()).as(stopped.err()).isEqualTo(1);
    assertThat(stopped.err()).contains("Stopped: ", "To go on, run the same command again.");
    assertThat(file).doesNotExist();
    ToolRun piped = export("-", "--give-up", "1");
    assertThat(piped.exitStatus()).isEqualTo(1);

    from.first(words -> Optional.empty());
    ToolRun again = export(file.toString());
    assertThat(again.exitStatus()).isZero();
    assertThat(again.err()).contains("Going on behind the ").contains("Exported 100 records");
    assertThat(keys(Files.readAllBytes(file))).hasSize(100).isSorted();
  }

  @Test
  void whatIsLeftOfAnotherExportIsNotGoneOnWith() throws IOException {
    put("a", "1");
    Path file = folder.resolve("all.jsonl");
    Path part = folder.resolve("all.jsonl.part");
    Files.writeString(part, "{\"cairnExport\":1,\"cluster\":\"other\",\"prefix\":\"x\"}\n");
    ToolRun refused = export(file.toString());
    assertThat(refused.exitStatus()).isEqualTo(2);
    assertThat(refused.err())
        .contains("another export", "cluster other, keys that begin with x", "--anew");
    assertThat(part).exists();
    assertThat(export(file.toString(), "--anew").exitStatus()).isZero();
    assertThat(keys(Files.readAllBytes(file))).containsExactly("a");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`{\"cairnExport\":2,\"cluster\":\"c\",\"prefix\":\"\"}` | it has format 2, this version reads format 1",
        "`{\"key\":\"a\",\"value\":\"1\"}` | ./cairn load reads other files",
        "`a\t1` | ./cairn load reads other files",
        "`` | it is empty",
      })
  void whatIsNoExportOfThisVersionIsRefusedBeforeAnythingIsStored(String line, String why) {
    ToolRun run = importing(line + (line.isEmpty() ? "" : "\n{\"key\":\"b\",\"value\":\"2\"}\n"));
    assertThat(run.exitStatus()).isEqualTo(2);
    assertThat(run.err()).contains("standard input cannot be imported: ", why);
    assertThat(to.values).isEmpty();
  }

  @Test
  void anExportThatIsNotWholeIsStoredAsFarAsItGoesAndSaidToBe() {
    String header = "{\"cairnExport\":1,\"cluster\":\"c\",\"prefix\":\"\"}\n";
    ToolRun cut = importing(header + "{\"key\":\"a\",\"value\":\"1\"}\n{\"key\":\"b\",\"va");
    assertThat(cut.exitStatus()).isEqualTo(1);
    assertThat(cut.out()).startsWith("Stored 1, failed 0, unknown 0, lines without a pair 1");
    assertThat(cut.err())
        .contains("line 3: not JSON", "standard input is not whole: it has no end");

    ToolRun short1 =
        importing(header + "{\"key\":\"a\",\"value\":\"1\"}\n{\"end\":true,\"records\":2}\n");
    assertThat(short1.exitStatus()).isEqualTo(1);
    assertThat(short1.err()).contains("it says that it has 2 records, and has 1");
    assertThat(to.values).containsOnlyKeys("a");
  }

  @Test
  void whatHasExpiredIsPassedOverAndFieldsOfLaterVersionsToo() {
    ToolRun run =
        importing(
            """
            {"cairnExport":1,"cluster":"c","prefix":"","later":[{}]}
            {"key":"a","value":"1","expiresAtMillis":1,"later":{"x":[1]}}
            {"value":"2","keyBase64":"/w==","expiresAtMillis":32503680000000,"later":null}
            {"key":"","value":"3"}
            {"key":"c"}
            {"key":"d","valueBase64":"no base64"}
            {"end":true,"records":2}
            """);
    assertThat(run.exitStatus()).isEqualTo(1);
    assertThat(run.out())
        .startsWith("Stored 1, failed 0, unknown 0, expired before 1, lines without a pair 3");
    assertThat(run.err())
        .contains("line 4: the key is empty", "line 5: no record", "line 6: not JSON");
    assertThat(to.values).containsOnlyKeys("\u00ff");
    assertThat(to.expiries).containsEntry("\u00ff", YEAR_3000_MILLIS);
  }

  @Test
  void anImportGoesOnBehindTheLinesThatAreDone() {
    put("a", "1");
    put("b", "2");
    put("c", "3");
    byte[] export = export("-").outBytes();
    ToolRun run = ToolRun.of(export, "import", "--nodes", to.nodes(), "-", "--skip", "3");
    assertThat(run.exitStatus()).as(run.err()).isZero();
    assertThat(to.values).containsOnlyKeys("c");
  }

  @Test
  void loadSendsWhoGivesItAnExportToImport() {
    put("a", "1");
    ToolRun run = ToolRun.of(export("-").outBytes(), "load", "--nodes", to.nodes(), "-");
    assertThat(run.exitStatus()).isEqualTo(1);
    assertThat(run.err()).contains("line 1: this is an export: ./cairn import reads it");
  }

  @Test
  void anEmptyClusterHasAnExportToo() {
    byte[] export = export("-").outBytes();
    assertThat(keys(export)).isEmpty();
    assertThat(ToolRun.of(export, "import", "--nodes", to.nodes(), "-").exitStatus()).isZero();
  }

  private void put(String key, String value) {
    from.values.put(key, new RespValue.Bulk(value.getBytes(ISO_8859_1)));
  }

  private void fill(Random random, int count) {
    while (from.values.size() < count) {
      byte[] key = new byte[1 + random.nextInt(random.nextInt(10) == 0 ? 2_000 : 6)];
      random.nextBytes(key);
      byte[] value = new byte[random.nextInt(random.nextInt(10) == 0 ? 100_000 : 30)];
      random.nextBytes(value);
      if (random.nextBoolean()) {
        for (int i = 0; i < value.length; i++) {
          value[i] = (byte) (value[i] & 0x7f);
        }
      }
      String name = new String(key, ISO_8859_1);
      from.values.put(name, new RespValue.Bulk(value));
      if (random.nextInt(3) == 0) {
        from.expiries.put(name, YEAR_3000_MILLIS + random.nextInt());
      }
    }
  }

  private ToolRun export(String file, String... options) {
    List<String> arguments =
        new ArrayList<>(List.of("export", "--nodes", from.nodes(), "--timeout", "0.5", file));
    arguments.addAll(List.of(options));
    return ToolRun.of("", arguments.toArray(new String[0]));
  }

  private ToolRun importing(String text) {
    return ToolRun.of(text, "import", "--nodes", to.nodes(), "-");
  }

  private static byte[] unpacked(byte[] bytes) throws IOException {
    if (bytes[0] != 0x1f) {
      return bytes;
    }
    try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(bytes))) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      in.transferTo(out);
      return out.toByteArray();
    }
  }

  private static List<String> keys(byte[] export) {
    List<String> keys = new ArrayList<>();
    try (Pairs records = new ExportReader(new ByteArrayInputStream(export))) {
      for (var entry = records.next(); entry.isPresent(); entry = records.next()) {
        keys.add(new String(((Pairs.Pair) entry.get()).key(), ISO_8859_1));
      }
      assertThat(records.endedBadly()).isEmpty();
    } catch (IOException unreadable) {
      throw new AssertionError(unreadable);
    }
    return keys;
  }
}
