// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.read.ListAppender;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;

/** What repeats is said once and then summed up; nothing is lost of what does not. */
final class SummingAppenderTest {
  private static final String MINUTE = "60 s";

  private final LoggerContext context = new LoggerContext();
  private final ListAppender<ILoggingEvent> written = new ListAppender<>();
  private long nowNanos;
  private final SummingAppender summing = new SummingAppender(() -> nowNanos);
  private Logger log;

  @BeforeEach
  void start() {
    context.setMDCAdapter(new LogbackMDCAdapter());
    written.setContext(context);
    written.start();
    summing.setContext(context);
    summing.addAppender(written);
    summing.start();
    context.getLogger("ROOT").addAppender(summing);
    log = context.getLogger("own.Part");
  }

  @AfterEach
  void stop() {
    context.stop();
  }

  @Test
  void whatRepeatsIsSaidOnceAndSummedUpAtTheEndOfAMinute() {
    for (int i = 0; i < 313; i++) {
      log.error("peer={} is no peer of Cairn", "a");
    }
    assertThat(said()).containsExactly("ERROR peer=a is no peer of Cairn");
    pass(59);
    assertThat(said()).isEmpty();
    pass(1);
    assertThat(said())
        .containsExactly(
            "ERROR 312 more times in the last " + MINUTE + ": peer=a is no peer of Cairn");
  }

  @Test
  void whatGoesOnIsSummedUpEachMinuteAndWhatCameBackIsSaidAtOnce() {
    log.warn("cannot");
    log.warn("cannot");
    pass(60);
    log.warn("cannot");
    pass(60);
    pass(60);
    assertThat(said())
        .containsExactly(
            "WARN cannot",
            "WARN 1 more times in the last 60 s: cannot",
            "WARN 1 more times in the last 60 s: cannot");
    log.warn("cannot");
    assertThat(said()).containsExactly("WARN cannot");
  }

  @Test
  void theNextEventSumsUpTooWhereNobodyLooked() {
    log.warn("cannot");
    log.warn("cannot");
    nowNanos += TimeUnit.SECONDS.toNanos(75);
    log.warn("cannot");
    assertThat(said()).containsExactly("WARN cannot", "WARN 1 more times in the last 75 s: cannot");
  }

  @Test
  void whatIsToldOfDifferentPeersIsSaidOfEach() {
    List.of("a", "b", "c", "d", "e").forEach(peer -> log.warn("peer {} is down", peer));
    assertThat(said())
        .containsExactly("WARN peer a is down", "WARN peer b is down", "WARN peer c is down");
    pass(60);
    assertThat(said()).containsExactly("WARN 2 more times in the last 60 s: peer e is down");
  }

  @Test
  void numbersWrittenIntoAMessageMakeNoOtherKind() {
    for (int i = 0; i < 100; i++) {
      log.error("entry " + i + " is refused");
    }
    assertThat(said()).hasSize(SummingAppender.LOUD_TEXTS_MAX);
    pass(60);
    assertThat(said()).containsExactly("ERROR 97 more times in the last 60 s: entry 99 is refused");
  }

  @Test
  void changesOfStateAreSaidThoughTheyAreEqual() {
    for (int i = 0; i < SummingAppender.CALM_MAX; i++) {
      log.info("peer {} is up", "a");
    }
    assertThat(said()).hasSize(SummingAppender.CALM_MAX);
    log.info("peer {} is up", "a");
    assertThat(said()).isEmpty();
  }

  @Test
  void kindsBeyondTheBoundGiveWayAndAreSummedUp() {
    log.warn("first");
    log.warn("first");
    for (int i = 0; i < SummingAppender.KINDS_MAX; i++) {
      log.warn("" + (char) ('a' + i % 26) + (char) ('A' + i / 26));
    }
    assertThat(summing.kinds()).isEqualTo(SummingAppender.KINDS_MAX);
    assertThat(said()).contains("WARN 1 more times in the last 1 s: first");
  }

  @Test
  void theEndSaysWhatWasOnlyCounted() {
    log.warn("cannot");
    log.warn("cannot");
    said();
    List<ILoggingEvent> list = written.list;
    nowNanos += TimeUnit.SECONDS.toNanos(7);
    context.stop();
    assertThat(list.stream().map(ILoggingEvent::getFormattedMessage))
        .containsExactly("1 more times in the last 7 s: cannot");
  }

  @Test
  void anEventIsOneLineWithItsStack() throws Exception {
    LoggerContext shipped = new LoggerContext();
    shipped.setMDCAdapter(new LogbackMDCAdapter());
    JoranConfigurator configurator = new JoranConfigurator();
    configurator.setContext(shipped);
    configurator.doConfigure(SummingAppenderTest.class.getResource("/logback.xml"));
    shipped.putProperty("node", "127.0.0.1:5000");
    SummingAppender first = (SummingAppender) shipped.getLogger("ROOT").getAppender("summing");
    ConsoleAppender<?> console = (ConsoleAppender<?>) first.getAppender("stderr");
    PatternLayoutEncoder encoder = (PatternLayoutEncoder) console.getEncoder();
    Exception failure = new IllegalStateException("two\nlines", new RuntimeException("cause"));
    assertThat(line(encoder, shipped, "text", failure))
        .matches(
            "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z ERROR 127.0.0.1:5000 Part: text"
                + " \\| java.lang.IllegalStateException: two \\| lines \\| at dev.cairn[^\\n]*"
                + "Caused by: java.lang.RuntimeException: cause [^\\n]*[^|\\s]\\n");
    assertThat(line(encoder, shipped, "a\nb", null)).endsWith(" Part: a | b\n");
    shipped.stop();
  }

  private static String line(
      PatternLayoutEncoder encoder, LoggerContext shipped, String text, Exception thrown) {
    LoggingEvent event =
        new LoggingEvent(
            "",
            shipped.getLogger("own.Part"),
            ch.qos.logback.classic.Level.ERROR,
            text,
            thrown,
            null);
    return new String(encoder.encode(event), StandardCharsets.UTF_8);
  }

  /** Time passes, and somebody looks. */
  private void pass(int seconds) {
    nowNanos += TimeUnit.SECONDS.toNanos(seconds);
    summing.sumUp();
  }

  private List<String> said() {
    List<String> lines =
        written.list.stream()
            .map(each -> each.getLevel() + " " + each.getFormattedMessage())
            .toList();
    written.list.clear();
    return lines;
  }
}
