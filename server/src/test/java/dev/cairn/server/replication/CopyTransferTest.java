// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.server.FreePorts;
import dev.cairn.server.cluster.PeerMessageKind;
import dev.cairn.server.peer.Answer;
import dev.cairn.server.peer.LocalPeers;
import dev.cairn.server.peer.PeerTransport;
import dev.cairn.server.peer.Traffic;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two nodes on loopback. One of them gives copies, or tells lies in the place of that. */
class CopyTransferTest {
  private static final long IDLE_MILLIS = 60_000;
  private static final long LATER_AFTER_MILLIS = 2_000;
  private static final long PATIENCE_MILLIS = 30_000;

  /** Patient; what is to fail by time has other times. */
  private static final CopyAsker.Times TIMES = new CopyAsker.Times(10_000, 5, 20_000, 20_000);

  private static final CopyAsker.Times HASTY = new CopyAsker.Times(200, 5, 300, 300);

  @TempDir Path temporary;
  private FolderSource source;
  private Path incoming;
  private PeerTransport giver;
  private PeerTransport asker;
  private String giverId;
  private CopySender sender;

  @BeforeEach
  void setUp() throws IOException {
    source = new FolderSource(temporary.resolve("source"));
    incoming = Files.createDirectory(temporary.resolve("incoming"));
    int port = FreePorts.next();
    giver = LocalPeers.listen(port);
    asker = LocalPeers.listen(FreePorts.next());
    giverId = LocalPeers.at(asker, port);
    Random random = new Random(1);
    for (int length :
        new int[] {
          0,
          1,
          CopyMessages.PIECE_BYTES_MAX - 1,
          CopyMessages.PIECE_BYTES_MAX,
          CopyMessages.PIECE_BYTES_MAX + 1,
          CopyMessages.PIECE_BYTES_MAX * 9 + 17
        }) {
      byte[] bytes = new byte[length];
      random.nextBytes(bytes);
      source.files.put("file-" + length, bytes);
    }
    source.files.put("another-empty", new byte[0]);
  }

  @AfterEach
  void tearDown() {
    asker.close();
    if (sender != null) {
      sender.close();
    }
    if (giver != null) {
      giver.close();
    }
  }

  // ---- A sender that does what it should ----

  @Test
  void aCopyIsWholeAndItsCheckpointIsDeletedAtItsEnd() throws Exception {
    offer();
    for (int copy = 1; copy <= 3; copy++) {
      Path folder = Files.createDirectory(incoming.resolve("copy-" + copy));
      CopyFetch.Result result = result(fetch(FolderSource.GROUP, folder, TIMES));
      assertThat(result)
          .isInstanceOfSatisfying(
              CopyFetch.Fetched.class,
              fetched -> {
                assertThat(fetched.meta()).isEqualTo(FolderSource.META);
                assertThat(fetched.folder()).isEqualTo(folder);
              });
      assertThat(filesOf(folder).keySet()).isEqualTo(source.files.keySet());
      filesOf(folder)
          .forEach((name, bytes) -> assertThat(bytes).as(name).isEqualTo(source.files.get(name)));
      await().until(() -> source.closed.size() == source.opened.size());
      assertThat(source.opened).hasSize(copy);
    }
  }

  @Test
  void severalCopiesAreFetchedAtOnce() throws Exception {
    offer();
    List<CompletableFuture<CopyFetch.Result>> results = new CopyOnWriteArrayList<>();
    for (int i = 0; i < CopySender.COPIES_MAX + 2; i++) {
      results.add(
          fetch(FolderSource.GROUP, Files.createDirectory(incoming.resolve("to" + i)), TIMES));
    }
    for (CompletableFuture<CopyFetch.Result> result : results) {
      assertThat(result(result)).isInstanceOf(CopyFetch.Fetched.class);
    }
    await().until(() -> source.closed.size() == results.size());
  }

  @Test
  void aCheckpointThatTakesLongIsWaitedForAndMadeOnce() throws Exception {
    CountDownLatch mayOpen = new CountDownLatch(1);
    source.onOpen = () -> awaitLatch(mayOpen);
    sender = new CopySender(giver, source, IDLE_MILLIS, 1);
    CopyMessages.Open open = new CopyMessages.Open(1, FolderSource.GROUP);
    for (int i = 0; i < 3; i++) {
      assertThat(ask(PeerMessageKind.COPY_OPEN, open.encode()))
          .isInstanceOf(CopyMessages.Reply.Later.class);
    }
    CompletableFuture<CopyFetch.Result> result = fetch(FolderSource.GROUP, incoming, TIMES);
    mayOpen.countDown();
    assertThat(result(result)).isInstanceOf(CopyFetch.Fetched.class);
    await()
        .untilAsserted(
            () ->
                assertThat(ask(PeerMessageKind.COPY_OPEN, open.encode()))
                    .isInstanceOf(CopyMessages.Reply.Done.class));
    assertThat(source.opened).hasSize(2);
  }

  @Test
  void aNumberIsOneGroups() throws Exception {
    offer();
    assertThat(open(1)).isInstanceOf(CopyMessages.Reply.Done.class);
    assertThat(
            ask(
                PeerMessageKind.COPY_OPEN,
                new CopyMessages.Open(1, FolderSource.GROUP + 1).encode()))
        .isInstanceOfSatisfying(
            CopyMessages.Reply.Refused.class,
            refused -> assertThat(refused.why()).contains("another group"));
  }

  @Test
  void whoComesOnTopOfTheBoundIsToldToAskAgain() throws Exception {
    offer();
    for (int number = 1; number <= CopySender.COPIES_MAX; number++) {
      assertThat(open(number)).isInstanceOf(CopyMessages.Reply.Done.class);
    }
    int oneMore = CopySender.COPIES_MAX + 1;
    assertThat(open(oneMore))
        .isInstanceOfSatisfying(
            CopyMessages.Reply.Later.class,
            later -> assertThat(later.why()).contains("8 copies already"));
    assertThat(source.opened).hasSize(CopySender.COPIES_MAX);
    assertThat(ask(PeerMessageKind.COPY_CLOSE, new CopyMessages.Close(1).encode()))
        .isInstanceOf(CopyMessages.Reply.Done.class);
    await()
        .untilAsserted(() -> assertThat(open(oneMore)).isInstanceOf(CopyMessages.Reply.Done.class));
    assertThat(source.closed).containsExactly(source.opened.get(0));
  }

  @Test
  void aCopyThatNobodyFetchesIsDeleted() throws Exception {
    sender = new CopySender(giver, source, 50, LATER_AFTER_MILLIS);
    assertThat(open(1)).isInstanceOf(CopyMessages.Reply.Done.class);
    await().untilAsserted(() -> assertThat(source.closed).isEqualTo(source.opened).hasSize(1));
    assertThat(source.opened.get(0)).doesNotExist();
    assertThat(piece(1, "file-1", 0, 1))
        .isInstanceOfSatisfying(
            CopyMessages.Reply.Refused.class,
            refused -> assertThat(refused.why()).contains("no copy with this number"));
  }

  @Test
  void aSenderThatClosesLeavesNoCheckpoint() throws Exception {
    offer();
    assertThat(open(1)).isInstanceOf(CopyMessages.Reply.Done.class);
    assertThat(open(2)).isInstanceOf(CopyMessages.Reply.Done.class);
    sender.close();
    assertThat(source.closed).containsExactlyInAnyOrderElementsOf(source.opened).hasSize(2);
    assertThat(open(3))
        .isInstanceOfSatisfying(
            CopyMessages.Reply.Refused.class,
            refused -> assertThat(refused.why()).contains("stopping"));
  }

  @Test
  void noOtherFileCanBeNamed() throws Exception {
    Files.createDirectories(temporary.resolve("source"));
    Files.writeString(temporary.resolve("source").resolve("secret"), "x");
    offer();
    assertThat(open(1)).isInstanceOf(CopyMessages.Reply.Done.class);
    for (String name : List.of("../secret", "/etc/passwd", "", "..", ".", "file-1/")) {
      assertThat(piece(1, name, 0, 10)).as(name).isInstanceOf(CopyMessages.Reply.Refused.class);
    }
    assertThat(piece(1, "file-1", 2, 1))
        .as("past its end")
        .isInstanceOf(CopyMessages.Reply.Refused.class);
  }

  @Test
  void aPieceIsBoundedByItsFile() throws Exception {
    offer();
    assertThat(open(1)).isInstanceOf(CopyMessages.Reply.Done.class);
    String name = "file-" + (CopyMessages.PIECE_BYTES_MAX + 1);
    byte[] bytes = source.files.get(name);
    assertThat(bytesOf(piece(1, name, 5, CopyMessages.PIECE_BYTES_MAX)))
        .isEqualTo(Arrays.copyOfRange(bytes, 5, bytes.length));
    assertThat(bytesOf(piece(1, name, 0, 10))).isEqualTo(Arrays.copyOf(bytes, 10));
    assertThat(bytesOf(piece(1, "another-empty", 0, 10))).isEqualTo(new byte[4]);
  }

  @Test
  void aSenderWithoutThatGroupEndsTheCopy() throws Exception {
    offer();
    failsWith(
        CopyFetch.Kind.PASSING,
        "there is no group 8",
        fetch(FolderSource.GROUP + 1, incoming, TIMES));
    assertThat(incoming).isEmptyDirectory();
  }

  @Test
  void aCheckpointThatCannotBeMadeEndsTheCopy() throws Exception {
    offer();
    source.onOpen =
        () -> {
          throw new IllegalStateException("no luck");
        };
    failsWith(CopyFetch.Kind.PASSING, "no luck", fetch(FolderSource.GROUP, incoming, TIMES));
    source.onOpen = () -> {};
    source.files.clear();
    failsWith(CopyFetch.Kind.PASSING, "0 files", fetch(FolderSource.GROUP, incoming, TIMES));
    await().untilAsserted(() -> assertThat(source.closed).isEqualTo(source.opened).hasSize(1));
  }

  @Test
  void whatIsNoQuestionIsRefusedAndNotTheEndOfTheSender() throws Exception {
    offer();
    for (byte kind :
        new byte[] {
          PeerMessageKind.COPY_OPEN, PeerMessageKind.COPY_PIECE, PeerMessageKind.COPY_CLOSE
        }) {
      for (byte[] question : List.of(new byte[0], new byte[] {1, 2}, new byte[] {9, 0, 0})) {
        assertThat(ask(kind, question)).isInstanceOf(CopyMessages.Reply.Refused.class);
      }
    }
    assertThat(result(fetch(FolderSource.GROUP, incoming, TIMES)))
        .isInstanceOf(CopyFetch.Fetched.class);
  }

  @Test
  void onlyAFailedDiskIsFatal() throws Exception {
    offer();
    failsWith(
        CopyFetch.Kind.LOCAL_DISK,
        "the local disk failed",
        fetch(FolderSource.GROUP, temporary.resolve("gone"), TIMES));
    Files.createFile(incoming.resolve("file-1"));
    failsWith(CopyFetch.Kind.LOCAL_DISK, "file-1", fetch(FolderSource.GROUP, incoming, TIMES));
    assertThat(CopyFetch.kindOf(new IOException("No space left on device")))
        .isEqualTo(CopyFetch.Kind.FULL);
    assertThat(CopyFetch.kindOf(new IOException("Input/output error")))
        .isEqualTo(CopyFetch.Kind.LOCAL_DISK);
    assertThat(CopyFetch.kindOf(new IOException())).isEqualTo(CopyFetch.Kind.LOCAL_DISK);
    assertThat(CopyFetch.kindOf(new ClosedByInterruptException()))
        .isEqualTo(CopyFetch.Kind.PASSING);
    await().until(() -> source.closed.size() == 2);
  }

  @Test
  void aCheckpointThatIsDeletedMeanwhileEndsTheCopy() throws Exception {
    offer();
    assertThat(open(1)).isInstanceOf(CopyMessages.Reply.Done.class);
    FolderSource.delete(source.opened.get(0));
    assertThat(piece(1, "file-1", 0, 1)).isInstanceOf(CopyMessages.Reply.Refused.class);
    assertThat(piece(1, "file-1", 1, 4)).isInstanceOf(CopyMessages.Reply.Refused.class);
  }

  // ---- A sender that lies, or is gone ----

  @Test
  void wrongBytesEndTheCopyAndNotTheReplica() throws Exception {
    lie(
        Map.of("a", 3L),
        (name, offset) -> offset == 3 ? checksum(new byte[] {1, 2, 4}) : new byte[] {1, 2, 3});
    failsWith(
        CopyFetch.Kind.PASSING,
        "a has a wrong checksum",
        fetch(FolderSource.GROUP, incoming, TIMES));
  }

  @Test
  void fewerOrMoreBytesThanWereAskedForEndTheCopy() throws Exception {
    AtomicInteger length = new AtomicInteger();
    lie(Map.of("a", 3L), (name, offset) -> new byte[length.get()]);
    for (int wrong : new int[] {0, 2, 4, 100}) {
      length.set(wrong);
      failsWith(
          CopyFetch.Kind.PASSING,
          wrong + " bytes at 0 where 3 were asked for",
          fetch(FolderSource.GROUP, Files.createDirectory(incoming.resolve("to" + wrong)), TIMES));
    }
  }

  @Test
  void aChecksumOfAnotherLengthEndsTheCopy() throws Exception {
    lie(Map.of("a", 0L), (name, offset) -> new byte[5]);
    failsWith(
        CopyFetch.Kind.PASSING,
        "5 bytes at 0 where 4 were asked for",
        fetch(FolderSource.GROUP, incoming, TIMES));
  }

  @Test
  void aManifestThatNamesAPathOutsideEndsTheCopy() throws Exception {
    byte[] honest = new CopyManifest(FolderSource.META, Map.of("aaaa", 1L)).encode();
    String text = new String(honest, StandardCharsets.ISO_8859_1).replace("aaaa", "../x");
    byte[] evil = CopyFormatsTest.sealed(text.getBytes(StandardCharsets.ISO_8859_1));
    serve(PeerMessageKind.COPY_OPEN, question -> CopyMessages.done(evil));
    failsWith(CopyFetch.Kind.PASSING, "../x", fetch(FolderSource.GROUP, incoming, TIMES));
    assertThat(incoming).isEmptyDirectory();
    assertThat(temporary.resolve("x")).doesNotExist();
  }

  @Test
  void whatIsNoManifestEndsTheCopy() throws Exception {
    AtomicInteger length = new AtomicInteger();
    serve(PeerMessageKind.COPY_OPEN, question -> CopyMessages.done(new byte[length.get()]));
    failsWith(CopyFetch.Kind.PASSING, "manifest", fetch(FolderSource.GROUP, incoming, TIMES));
    length.set(CopyManifest.BYTES_MAX + 1);
    failsWith(CopyFetch.Kind.PASSING, "too long", fetch(FolderSource.GROUP, incoming, TIMES));
  }

  /** Of what is claimed nothing is allocated, and at most four pieces are asked for. */
  @Test
  void aFileThatIsSaidToBeEndlessTakesWhatArrives() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    CountDownLatch manyAsked = new CountDownLatch(CopyFetch.UNDER_WAY_MAX);
    CountDownLatch mayAnswer = new CountDownLatch(1);
    lie(
        Map.of("a", Long.MAX_VALUE, "b", Long.MAX_VALUE),
        (name, offset) -> {
          asked.incrementAndGet();
          manyAsked.countDown();
          awaitLatch(mayAnswer);
          return offset == 0 ? new byte[CopyMessages.PIECE_BYTES_MAX] : new byte[1];
        });
    CompletableFuture<CopyFetch.Result> result = fetch(FolderSource.GROUP, incoming, TIMES);
    awaitLatch(manyAsked);
    assertThat(asked).hasValue(CopyFetch.UNDER_WAY_MAX);
    mayAnswer.countDown();
    failsWith(CopyFetch.Kind.PASSING, "1 bytes at 1048576", result);
    try (Stream<Path> files = Files.list(incoming)) {
      assertThat(files.toList())
          .singleElement()
          .satisfies(file -> assertThat(Files.size(file)).isEqualTo(CopyMessages.PIECE_BYTES_MAX));
    }
  }

  @Test
  void aSenderThatIsNotThereEndsTheCopy() throws Exception {
    vanish();
    failsWith(CopyFetch.Kind.PASSING, "gave no answer", fetch(FolderSource.GROUP, incoming, HASTY));
  }

  @Test
  void aSenderWithoutCopiesEndsTheCopy() throws Exception {
    giver.complete();
    failsWith(
        CopyFetch.Kind.PASSING,
        "unknown to this version",
        fetch(FolderSource.GROUP, incoming, HASTY));
  }

  @Test
  void aSenderThatVanishesEndsTheCopy() throws Exception {
    CountDownLatch vanished = new CountDownLatch(1);
    lie(
        Map.of("a", 3L * CopyMessages.PIECE_BYTES_MAX),
        (name, offset) -> {
          if (offset > 0) {
            vanished.countDown();
            awaitLatch(new CountDownLatch(1));
          }
          return new byte[CopyMessages.PIECE_BYTES_MAX];
        });
    CompletableFuture<CopyFetch.Result> result = fetch(FolderSource.GROUP, incoming, HASTY);
    awaitLatch(vanished);
    vanish();
    failsWith(CopyFetch.Kind.PASSING, "gave no answer", result);
  }

  @Test
  void aSenderThatSaysLaterForEverEndsTheCopy() throws Exception {
    serve(PeerMessageKind.COPY_OPEN, question -> CopyMessages.later("busy"));
    failsWith(CopyFetch.Kind.PASSING, "busy", fetch(FolderSource.GROUP, incoming, HASTY));
  }

  /** A question whose answer does not come is asked again, and the number is the same. */
  @Test
  void aLostAnswerIsAskedForAgain() throws Exception {
    List<Long> numbers = new CopyOnWriteArrayList<>();
    AtomicInteger pieces = new AtomicInteger();
    byte[] manifest = new CopyManifest(FolderSource.META, Map.of("a", 1L)).encode();
    giver.handleApart(
        PeerMessageKind.COPY_OPEN,
        (from, question, answer) -> {
          numbers.add(CopyMessages.Open.decode(question).number());
          if (numbers.size() > 1) {
            answer.accept(CopyMessages.done(manifest));
          }
        });
    giver.handleApart(
        PeerMessageKind.COPY_PIECE,
        (from, question, answer) -> {
          CopyMessages.Piece piece = CopyMessages.Piece.decode(question);
          numbers.add(piece.number());
          if (pieces.incrementAndGet() > 2) {
            answer.accept(
                CopyMessages.done(piece.offset() == 0 ? new byte[] {9} : checksum(new byte[] {9})));
          }
        });
    CompletableFuture<Long> closed = new CompletableFuture<>();
    serve(
        PeerMessageKind.COPY_CLOSE,
        question -> {
          closed.complete(CopyMessages.Close.decode(question).number());
          return CopyMessages.done(0);
        });
    CopyAsker.Times times = new CopyAsker.Times(100, 5, PATIENCE_MILLIS, PATIENCE_MILLIS);
    assertThat(result(fetch(FolderSource.GROUP, incoming, times)))
        .isInstanceOf(CopyFetch.Fetched.class);
    assertThat(filesOf(incoming)).containsOnlyKeys("a");
    assertThat(numbers).containsOnly(closed.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS));
  }

  // ---- Cancelled ----

  @Test
  void aCancelledCopyEndsAndItsCheckpointIsDeleted() throws Exception {
    offer();
    CompletableFuture<CopyFetch> started = new CompletableFuture<>();
    source.onOpen = () -> started.join().cancel();
    CompletableFuture<CopyFetch.Result> result = new CompletableFuture<>();
    started.complete(
        CopyFetch.start(asker, giverId, FolderSource.GROUP, incoming, TIMES, result::complete));
    failsWith(CopyFetch.Kind.PASSING, "cancelled", result);
    await().until(() -> !source.opened.isEmpty() && source.closed.equals(source.opened));
    assertThat(incoming).isEmptyDirectory();
  }

  @Test
  void aCopyIsCancelledWhileItWaits() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    lie(
        Map.of("a", 1L),
        (name, offset) -> {
          asked.countDown();
          awaitLatch(new CountDownLatch(1));
          return new byte[1];
        });
    AtomicInteger results = new AtomicInteger();
    CompletableFuture<CopyFetch.Result> result = new CompletableFuture<>();
    CopyFetch fetch =
        CopyFetch.start(
            asker,
            giverId,
            FolderSource.GROUP,
            incoming,
            CopyAsker.Times.DEFAULT,
            told -> {
              results.incrementAndGet();
              result.complete(told);
            });
    awaitLatch(asked);
    fetch.cancel();
    fetch.cancel();
    failsWith(CopyFetch.Kind.PASSING, "cancelled", result);
    assertThat(results).hasValue(1);
  }

  // ---- Help ----

  private void vanish() {
    giver.close();
    giver = null;
  }

  private void offer() {
    sender = new CopySender(giver, source, IDLE_MILLIS, LATER_AFTER_MILLIS);
  }

  private CompletableFuture<CopyFetch.Result> fetch(
      long group, Path folder, CopyAsker.Times times) {
    CompletableFuture<CopyFetch.Result> result = new CompletableFuture<>();
    CopyFetch.start(asker, giverId, group, folder, times, result::complete);
    return result;
  }

  private static CopyFetch.Result result(CompletableFuture<CopyFetch.Result> result)
      throws Exception {
    return result.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
  }

  private static void failsWith(
      CopyFetch.Kind kind, String why, CompletableFuture<CopyFetch.Result> result)
      throws Exception {
    assertThat(result(result))
        .isInstanceOfSatisfying(
            CopyFetch.Failed.class,
            failed -> {
              assertThat(failed.why()).contains(why);
              assertThat(failed.kind()).isEqualTo(kind);
            });
  }

  private CopyMessages.Reply open(long number) throws Exception {
    return ask(
        PeerMessageKind.COPY_OPEN, new CopyMessages.Open(number, FolderSource.GROUP).encode());
  }

  private CopyMessages.Reply piece(long number, String name, long offset, int length)
      throws Exception {
    return ask(
        PeerMessageKind.COPY_PIECE, new CopyMessages.Piece(number, name, offset, length).encode());
  }

  private CopyMessages.Reply ask(byte kind, byte[] question) throws Exception {
    CompletableFuture<Answer> answer = new CompletableFuture<>();
    asker.sendApart(
        Traffic.BULK, giverId, kind, question, PATIENCE_MILLIS, Runnable::run, answer::complete);
    Answer arrived = answer.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    assertThat(arrived).isInstanceOf(Answer.Received.class);
    return CopyMessages.Reply.decode(((Answer.Received) arrived).body());
  }

  private static byte[] bytesOf(CopyMessages.Reply reply) {
    assertThat(reply).isInstanceOf(CopyMessages.Reply.Done.class);
    ByteBuffer bytes = ((CopyMessages.Reply.Done) reply).bytes();
    byte[] copied = new byte[bytes.remaining()];
    bytes.get(copied);
    return copied;
  }

  /** A sender of made-up files. */
  private void lie(Map<String, Long> files, BiFunction<String, Long, byte[]> pieces) {
    byte[] manifest = new CopyManifest(FolderSource.META, files).encode();
    serve(PeerMessageKind.COPY_OPEN, question -> CopyMessages.done(manifest));
    serve(
        PeerMessageKind.COPY_PIECE,
        question -> {
          CopyMessages.Piece piece = CopyMessages.Piece.decode(question);
          return CopyMessages.done(pieces.apply(piece.name(), piece.offset()));
        });
    serve(PeerMessageKind.COPY_CLOSE, question -> CopyMessages.done(0));
  }

  private void serve(byte kind, UnaryOperator<byte[]> answering) {
    giver.handleApart(kind, (from, question, answer) -> answer.accept(answering.apply(question)));
  }

  private static byte[] checksum(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return ByteBuffer.allocate(Integer.BYTES).putInt((int) crc.getValue()).array();
  }

  private static Map<String, byte[]> filesOf(Path folder) throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    try (Stream<Path> found = Files.list(folder)) {
      for (Path file : found.toList()) {
        files.put(file.getFileName().toString(), Files.readAllBytes(file));
      }
    }
    return files;
  }

  private static void awaitLatch(CountDownLatch latch) {
    try {
      latch.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
