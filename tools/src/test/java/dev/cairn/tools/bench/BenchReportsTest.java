// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.cairn.client.Address;
import dev.cairn.client.Security;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import javax.xml.parsers.DocumentBuilderFactory;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

/** The files that a run leaves: CSV, JSON and a picture; and the CPU of processes. */
final class BenchReportsTest {
  private static BenchResult result() {
    BenchSettings settings =
        new BenchSettings(
            List.of(new Address("127.0.0.1", 5000)),
            false,
            4,
            1,
            1_000,
            "a",
            Map.of(Kind.GET, 50, Kind.SET, 50),
            Distribution.ZIPFIAN,
            1_000,
            "<k>&",
            100,
            0,
            false,
            0,
            10,
            10,
            7,
            List.of(1L),
            Security.NONE);
    Histogram gets = Measurement.histogram();
    Histogram sets = Measurement.histogram();
    for (int i = 1; i <= 1_000; i++) {
      gets.recordValue(i * 10_000L); // 0.01 to 10 ms
      sets.recordValue(i * 20_000L);
    }
    Histogram all = Measurement.histogram();
    all.add(gets);
    all.add(sets);
    return new BenchResult(
        settings,
        1,
        10,
        false,
        List.of(new BenchResult.OfKind("get", gets, 10), new BenchResult.OfKind("set", sets, 10)),
        new BenchResult.OfKind("all", all, 10),
        List.of(new BenchResult.Errors("CLUSTERDOWN", 3, "CLUSTERDOWN \"no\" leader")),
        2,
        1,
        0,
        5,
        0.5,
        new BenchResult.Cpu(OptionalDouble.of(0.5), Optional.empty(), 9.5, 10));
  }

  @Test
  void csvHasALineAKind() {
    List<String> lines = BenchCsv.lines(result());

    assertThat(lines).hasSize(5);
    int columns = lines.get(0).split(",", -1).length;
    assertThat(lines).allSatisfy(line -> assertThat(line.split(",", -1)).hasSize(columns));
    assertThat(lines.get(0)).startsWith("operation,count,ops_per_second,mean_ms,p50_ms,p90_ms,");
    String[] gets = lines.get(1).split(",", -1);
    assertThat(gets[0]).isEqualTo("get");
    assertThat(gets[1]).isEqualTo("1000");
    assertThat(gets[2]).isEqualTo("100.000");
    assertThat(Double.parseDouble(gets[4])).isCloseTo(5, within(0.01));
    assertThat(Double.parseDouble(gets[6])).isCloseTo(9.9, within(0.01));
    assertThat(lines.get(3)).startsWith("all,2000,200.000,").endsWith(",250.000,0.950");
    assertThat(lines.get(4)).startsWith("error CLUSTERDOWN,3,");
  }

  @Test
  void jsonHasTheWholeDistribution() throws IOException {
    JsonNode json = new ObjectMapper().readTree(BenchJson.document(result()));

    assertThat(json.get("format").asInt()).isEqualTo(1);
    assertThat(json.at("/settings/seed").asLong()).isEqualTo(7);
    assertThat(json.at("/settings/mix/set").asInt()).isEqualTo(50);
    JsonNode gets = json.at("/operations/0");
    assertThat(gets.get("operation").asText()).isEqualTo("get");
    assertThat(gets.get("count").asLong()).isEqualTo(1_000);
    assertThat(gets.get("p99.9_ms").asDouble()).isCloseTo(9.99, within(0.02));
    JsonNode distribution = gets.get("distribution");
    assertThat(distribution.get(distribution.size() - 1).get(0).asDouble()).isEqualTo(100);
    assertThat(distribution.get(distribution.size() - 1).get(1).asDouble())
        .isCloseTo(10, within(0.02));
    assertThat(json.at("/errors/0/code").asText()).isEqualTo("CLUSTERDOWN");
    assertThat(json.at("/errors/0/first").asText()).isEqualTo("CLUSTERDOWN \"no\" leader");
    assertThat(json.get("never_started").asLong()).isEqualTo(5);
    assertThat(json.at("/cpu/server_us_per_operation").asDouble()).isEqualTo(250);
  }

  @Test
  void thePictureIsWellFormedWithoutScriptAndKnowsTheDark() throws Exception {
    String svg = BenchPlot.svg(result());
    Document document =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new InputSource(new StringReader(svg)));

    assertThat(document.getDocumentElement().getTagName()).isEqualTo("svg");
    assertThat(document.getElementsByTagName("polyline").getLength()).isEqualTo(2);
    assertThat(document.getElementsByTagName("script").getLength()).isZero();
    assertThat(svg).contains("prefers-color-scheme: dark").doesNotContain("NaN");
  }

  @Test
  void thePictureOfNothingIsWellFormedToo() throws Exception {
    BenchResult some = result();
    BenchResult none =
        new BenchResult(
            some.settings(),
            1,
            1,
            true,
            List.of(),
            new BenchResult.OfKind("all", Measurement.histogram(), 1),
            List.of(),
            0,
            0,
            0,
            0,
            0,
            some.cpu());
    String svg = BenchPlot.svg(none);

    DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(svg)));
    assertThat(svg).doesNotContain("NaN").doesNotContain("Infinity");
  }

  @Test
  void cpuOfProcesses(@TempDir Path proc) throws IOException {
    Files.createDirectories(proc.resolve("71"));
    Files.writeString(
        proc.resolve("71/stat"), "71 (a) b (c)) S 1 71 71 0 -1 4194560 9 0 0 0 150 50 7 7 20 0\n");
    ProcessCpu cpu = new ProcessCpu(proc, List.of(71L));

    assertThat(cpu.seconds()).isEqualTo(2.0);
    assertThatThrownBy(() -> new ProcessCpu(proc, List.of(72L)))
        .hasMessage("--pids: there is no process 72");
    assertThatThrownBy(() -> new ProcessCpu(proc.resolve("none"), List.of(71L)))
        .hasMessageContaining("leave it out");
    assertThat(new ProcessCpu(proc.resolve("none"), List.of()).seconds()).isZero();
    Files.delete(proc.resolve("71/stat"));
    assertThatThrownBy(cpu::seconds).hasMessage("process 71 has ended");
    assertThat(ProcessCpu.ownSeconds()).isPositive();
  }
}
