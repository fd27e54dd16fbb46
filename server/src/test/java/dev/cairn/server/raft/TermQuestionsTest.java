// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.server.LentLoop;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.peer.Answer;
import dev.cairn.server.peer.CurrentLoop;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which questions travel together, and what becomes of each. */
class TermQuestionsTest {
  private static final Peer PEER = new Peer("n2", 3);
  private static final Peer OTHER = new Peer("n3", 1);

  private record Sent(String node, byte[] request, Consumer<Answer> done) {}

  private final List<Sent> sent = new ArrayList<>();
  private final Map<String, List<Long>> told = new TreeMap<>();
  private final TermQuestions questions =
      new TermQuestions((node, request, done) -> sent.add(new Sent(node, request, done)));

  @Test
  void whatIsAskedMeanwhileTravelsTogether() {
    ask(PEER, "a");
    ask(PEER, "b");
    ask(PEER, "c");
    assertThat(sent).hasSize(1);
    answer(7);
    assertThat(sent).hasSize(1);
    answer(8, 9);
    assertThat(sent).isEmpty();
    assertThat(told).hasToString("{a=[7], b=[8], c=[9]}");
  }

  @Test
  void whatAnAnswerMakesOthersAskTravelsAlong() {
    questions.ask(PEER, bytes("a"), term -> ask(PEER, "c"));
    ask(PEER, "b");
    answer(7);
    answer(8, 9);
    assertThat(told).hasToString("{b=[8], c=[9]}");
  }

  @Test
  void whatOneRoundOfALoopAsksTravelsTogether() {
    try (LentLoop loop = new LentLoop()) {
      loop.run(
          () -> {
            ask(PEER, "a");
            questions.ask(PEER, bytes("b"), term -> CurrentLoop.afterRound(() -> ask(PEER, "d")));
          });
      loop.run(
          () -> {
            ask(PEER, "c"); // waits for the answer
            answer(7, 8);
          });
      loop.run(() -> answer(9, 10));
    }
    assertThat(told).hasToString("{a=[7], c=[9], d=[10]}");
    assertThat(sent).isEmpty();
  }

  @Test
  void anotherNodeIsAskedAtOnce() {
    ask(PEER, "a");
    ask(OTHER, "a");
    assertThat(sent).extracting(Sent::node).containsExactly("n2", "n3");
  }

  @Test
  void withoutAnAnswerTermsAreUnknownAndTheNextQuestionsGoOut() {
    ask(PEER, "a");
    ask(PEER, "b");
    sent.remove(0).done().accept(new Answer.Lost("gone", true));
    sent.remove(0).done().accept(new Answer.NotSent("no connection"));
    assertThat(told).hasToString("{a=[0], b=[0]}");
    ask(PEER, "c");
    assertThat(sent).hasSize(1);
  }

  @Test
  void answerOfAnotherLengthTellsNothing() {
    ask(PEER, "a");
    sent.remove(0).done().accept(new Answer.Received(new byte[7]));
    ask(PEER, "b");
    sent.remove(0).done().accept(new Answer.Received(new byte[16]));
    assertThat(told).hasToString("{a=[0], b=[0]}");
  }

  @Test
  void oneThatThrowsKeepsNobodyFromHisAnswer() {
    ask(PEER, "a");
    questions.ask(
        PEER,
        bytes("b"),
        term -> {
          throw new IllegalStateException("as it should");
        });
    ask(PEER, "c");
    answer(7);
    answer(8, 9);
    ask(PEER, "d");
    assertThat(told).hasToString("{a=[7], c=[9]}");
    assertThat(sent).hasSize(1);
  }

  @Test
  void oneMessageHoldsOnlySoMany() {
    ask(PEER, "first");
    for (int i = 0; i < TermQuestions.QUESTIONS_MAX + 1; i++) {
      ask(PEER, "x");
    }
    answer(1);
    answer(new long[TermQuestions.QUESTIONS_MAX]);
    answer(2);
    assertThat(sent).isEmpty();
    assertThat(told.get("x")).hasSize(TermQuestions.QUESTIONS_MAX + 1).endsWith(2L);
  }

  @Test
  void bytesAreThoseOfTheGrammar() {
    ask(PEER, "first");
    ask(PEER, "g");
    ask(new Peer(PEER.nodeId(), 5), "h\u00e9");
    answer(1);
    assertThat(HexFormat.of().formatHex(sent.get(0).request()))
        .isEqualTo("01" + "00000003" + "0001" + "67" + "00000005" + "0003" + "68c3a9");
  }

  @Test
  void termsAreThoseOnDisk(@TempDir Path folder) throws Exception {
    try (SharedLog log = SharedLog.open(folder, failure -> {}, new Metrics())) {
      log.writeIncarnation("g", 3);
      LogFixture.meta(log, "g").setTermAndVotedFor(9, PEER.toPeerId());
      ask(PEER, "first");
      ask(PEER, "g");
      ask(new Peer(PEER.nodeId(), 2), "g");
      ask(PEER, "unknown");
      answer(1);
      byte[] request = sent.get(0).request();
      sent.remove(0).done().accept(new Answer.Received(TermQuestions.answer(log, request)));
      assertThat(told).hasToString("{first=[1], g=[9, 0], unknown=[0]}");

      for (int length = 0; length < request.length; length++) {
        byte[] cut = Arrays.copyOf(request, length);
        if (length != 1 && length != 8 && length != 15) { // whole questions
          assertThatThrownBy(() -> TermQuestions.answer(log, cut))
              .as("cut at %s", length)
              .isInstanceOf(IllegalArgumentException.class);
        }
      }
      request[0]++;
      assertThatThrownBy(() -> TermQuestions.answer(log, request)).hasMessageContaining("format");
    }
  }

  private void ask(Peer peer, String group) {
    questions.ask(
        peer, bytes(group), term -> told.computeIfAbsent(group, g -> new ArrayList<>()).add(term));
  }

  private void answer(long... terms) {
    ByteBuffer answer = ByteBuffer.allocate(terms.length * Long.BYTES);
    answer.asLongBuffer().put(terms);
    sent.remove(0).done().accept(new Answer.Received(answer.array()));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
