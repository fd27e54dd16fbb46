// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.error.RetryAgainException;
import com.alipay.sofa.jraft.option.SnapshotCopierOptions;
import com.alipay.sofa.jraft.rpc.RaftClientService;
import com.alipay.sofa.jraft.rpc.RpcRequests.GetFileRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.GetFileResponse;
import com.alipay.sofa.jraft.rpc.RpcResponseClosure;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotCopier;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotReader;
import com.alipay.sofa.jraft.util.ByteBufferCollector;
import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sender and receiver without a network between them, so that it can lie. */
class SnapshotTransferTest {
  private static final SnapshotMeta META =
      SnapshotMeta.newBuilder().setLastIncludedIndex(3).setLastIncludedTerm(1).build();
  private static final String NODE = "a";

  @TempDir Path temporary;
  private final byte[] large = new byte[SnapshotSender.PIECE_BYTES_MAX * 2 + 17];
  private final List<GetFileRequest> requests = new ArrayList<>();
  private MapHost source;
  private MapHost target;
  private SnapshotSender sender;
  private BiFunction<GetFileRequest, ByteString, ByteString> network = (request, data) -> data;

  @BeforeEach
  void setUp() {
    source = new MapHost(temporary.resolve("source"), true);
    target = new MapHost(temporary.resolve("target"), true);
    new Random(1).nextBytes(large);
    source.apply(1, new byte[] {1});
    source.apply(2, large);
    source.apply(3, new byte[SnapshotSender.PIECE_BYTES_MAX]);
    sender = new SnapshotSender(source, META, NODE, 60_000);
  }

  @Test
  void aCopyIsWholeAndTheCheckpointLivesAsLongAsTheSender() throws Exception {
    assertThat(source.checkpoints).hasValue(0);
    SnapshotCopier copier = copy(target);
    assertThat(copier.isOk()).as("%s", copier).isTrue();
    CheckpointSnapshotReader reader = (CheckpointSnapshotReader) copier.getReader();
    assertThat(reader.load()).isEqualTo(META);
    assertThat(source.checkpointFolder()).isNotEmptyDirectory();
    target.install(reader.received().orElseThrow(), reader.metaBytes());
    assertThat(target.entries().get(2L)).isEqualTo(large);
    assertThat(target.applied()).isEqualTo(3);
    sender.close();
    sender.close();
    await().untilAsserted(() -> assertThat(source.checkpointFolder()).isEmptyDirectory());
    assertThat(source.checkpoints).hasValue(1);
  }

  @Test
  void anIdleSenderGivesItsCheckpointUp() throws Exception {
    sender = new SnapshotSender(source, META, NODE, 50);
    assertThat(read(SnapshotSender.MANIFEST, 0, 100).size()).isPositive();
    await().untilAsserted(() -> assertThat(source.checkpointFolder()).isEmptyDirectory());
    assertThatThrownBy(() -> read(SnapshotSender.MANIFEST, 0, 100))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no longer");
  }

  @Test
  void noOtherFileCanBeNamed() throws Exception {
    Files.writeString(temporary.resolve("secret"), "x");
    for (String name :
        List.of("file:../../../secret", "file:/etc/passwd", "file:", "file:..", "applied", "")) {
      assertThatThrownBy(() -> read(name, 0, 10)).as(name).isInstanceOf(IOException.class);
    }
  }

  @Test
  void aPieceIsBounded() throws Exception {
    assertThat(read("file:entry-2", 0, Integer.MAX_VALUE).size())
        .isEqualTo(SnapshotSender.PIECE_BYTES_MAX);
    assertThat(read("file:entry-2", large.length + 4L, 10)).isEqualTo(ByteString.EMPTY);
    assertThat(read("file:empty.log", 0, 10).size()).isEqualTo(4);
  }

  @Test
  void aWitnessFetchesAndSavesTheMetaAndNothingElse() throws Exception {
    MapHost witness = new MapHost(temporary.resolve("witness"), false);
    SnapshotCopier copier = copy(witness);
    assertThat(copier.isOk()).isTrue();
    CheckpointSnapshotReader reader = (CheckpointSnapshotReader) copier.getReader();
    assertThat(reader.load()).isEqualTo(META);
    assertThat(reader.received()).isEmpty();
    assertThat(witness.durableMeta()).contains(META.toByteArray());
    assertThat(witness.incomings).hasValue(0);
    assertThat(source.checkpoints).hasValue(0);
  }

  @Test
  void aFullReplicaRefusesAWitnessSnapshotBeforeAnythingIsTouched() {
    MapHost witness = new MapHost(temporary.resolve("witness"), false);
    witness.saveMeta(META.toByteArray());
    SnapshotReader offered = storage(witness).open();
    assertThat(offered.load()).isEqualTo(META);
    String uri = offered.generateURIForCopy();
    assertThat(uri).endsWith("/meta");
    assertThat(storage(target).startToCopyFrom(uri, options())).isNull();
    assertThat(storage(target).startToCopyFrom("nonsense", options())).isNull();
    assertThat(target.incomings).hasValue(0);
    assertThat(requests).isEmpty();
    offered.shutdown();
  }

  @Test
  void aWitnessGivesNoData() throws Exception {
    MapHost witness = new MapHost(temporary.resolve("witness"), false);
    sender = new SnapshotSender(witness, META, NODE, 60_000);
    assertThatThrownBy(() -> read(SnapshotSender.MANIFEST, 0, 10)).isInstanceOf(IOException.class);
    String lie = new SnapshotUri(NODE, sender.uri().reader(), true).toString();
    SnapshotCopier copier = storage(target).startToCopyFrom(lie, options());
    copier.join();
    assertThat(copier.getRaftError()).isEqualTo(RaftError.EINTERNAL);
    assertThat(target.incomings).hasValue(0);
  }

  @Test
  void aManifestWithoutDataEndsTheCopyOfAFullReplica() throws Exception {
    ByteString dataless = ByteString.copyFrom(new SnapshotManifest(false, META, Map.of()).encode());
    network = (request, data) -> request.getOffset() == 0 ? dataless : ByteString.EMPTY;
    failsWith(RaftError.EINVAL, "no data");
    assertThat(target.incomings).hasValue(0);
  }

  @Test
  void openIsNullOnlyBeforeTheFirstSnapshot() {
    assertThat(storage(target).open()).isNull();
    storage(target).create().saveMeta(META);
    assertThat(storage(target).open().load()).isEqualTo(META);
    assertThat(((CheckpointSnapshotReader) storage(target).open()).received()).isEmpty();
  }

  @Test
  void wrongBytesEndTheCopyAndNotTheReplica() throws Exception {
    network =
        (request, data) -> {
          if (request.getFilename().equals("file:entry-2") && request.getOffset() > 0) {
            byte[] bytes = data.toByteArray();
            bytes[bytes.length - 1] ^= 1;
            return ByteString.copyFrom(bytes);
          }
          return data;
        };
    failsWith(RaftError.EINVAL, "checksum");
  }

  @Test
  void aShortFileEndsTheCopy() throws Exception {
    network =
        (request, data) ->
            request.getFilename().equals("file:entry-2") && request.getOffset() > 0
                ? ByteString.EMPTY
                : data;
    failsWith(RaftError.EINVAL, "0 bytes");
  }

  @Test
  void moreThanWasAskedForEndsTheCopy() throws Exception {
    network =
        (request, data) ->
            request.getFilename().startsWith("file:")
                ? data.concat(ByteString.copyFrom(new byte[] {1}))
                : data;
    failsWith(RaftError.EINVAL, "asked for");
  }

  @Test
  void anEndlessManifestEndsTheCopy() throws Exception {
    ByteString piece = ByteString.copyFrom(new byte[SnapshotSender.PIECE_BYTES_MAX]);
    network =
        (request, data) -> request.getFilename().equals(SnapshotSender.MANIFEST) ? piece : data;
    failsWith(RaftError.EINVAL, "too long");
  }

  @Test
  void aManifestThatNamesAPathOutsideEndsTheCopy() throws Exception {
    byte[] honest = new SnapshotManifest(true, META, Map.of("aaaa", 1L)).encode();
    String text = new String(honest, StandardCharsets.ISO_8859_1);
    byte[] evil = text.replace("aaaa", "../x").getBytes(StandardCharsets.ISO_8859_1);
    CRC32C crc = new CRC32C();
    crc.update(evil, 0, evil.length - 4);
    ByteBuffer.wrap(evil).putInt(evil.length - 4, (int) crc.getValue());
    network =
        (request, data) -> request.getOffset() == 0 ? ByteString.copyFrom(evil) : ByteString.EMPTY;
    failsWith(RaftError.EINVAL, "../x");
    assertThat(target.incomings).hasValue(0);
  }

  @Test
  void aSenderThatIsGoneEndsTheCopy() throws Exception {
    target.onIncoming = sender::close;
    failsWith(RaftError.EINTERNAL, "asked for");
  }

  @Test
  void onlyAFailedDiskIsFatal() throws Exception {
    target.onIncoming =
        () -> {
          throw new UncheckedIOException(new IOException("out of something"));
        };
    failsWith(RaftError.EINTERNAL, "out of something");
    target = new MapHost(temporary.resolve("absent"), true);
    target.onIncoming = () -> deleteQuietly(target.incomingFolder());
    failsWith(RaftError.EIO, "local disk");
  }

  @Test
  void aCancelledCopyEnds() throws Exception {
    CompletableFuture<SnapshotCopier> started = new CompletableFuture<>();
    network =
        (request, data) -> {
          started.join().cancel();
          return data;
        };
    SnapshotCopier copier = storage(target).startToCopyFrom(sender.uri().toString(), options());
    started.complete(copier);
    copier.join();
    assertThat(copier.getRaftError()).isEqualTo(RaftError.ECANCELED);
    assertThat(copier.getReader()).isNull();
  }

  @Test
  void whatWasNotTakenOverIsDeletedByTheNextCopy() throws Exception {
    CheckpointSnapshotStorage storage = storage(target);
    for (int i = 0; i < 3; i++) {
      SnapshotCopier copier = storage.startToCopyFrom(sender.uri().toString(), options());
      copier.join();
      assertThat(copier.isOk()).isTrue();
    }
    assertThat(target.incomingFolder().toFile().list()).containsExactly("i3");
    storage.shutdown();
    assertThat(target.incomingFolder()).isEmptyDirectory();
  }

  private void failsWith(RaftError error, String message) throws Exception {
    SnapshotCopier copier = copy(target);
    assertThat(copier.getRaftError()).as("%s", copier).isEqualTo(error);
    assertThat(copier.getErrorMsg()).contains(message);
    assertThat(copier.getReader()).isNull();
  }

  private SnapshotCopier copy(MapHost to) throws InterruptedException {
    SnapshotCopier copier = storage(to).startToCopyFrom(sender.uri().toString(), options());
    copier.join();
    copier.cancel();
    return copier;
  }

  private static CheckpointSnapshotStorage storage(MapHost host) {
    return new CheckpointSnapshotStorage(host, NODE);
  }

  private SnapshotCopierOptions options() {
    SnapshotCopierOptions options = new SnapshotCopierOptions();
    options.setGroupId("group");
    options.setRaftClientService(
        (RaftClientService)
            Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {RaftClientService.class},
                (proxy, method, arguments) -> {
                  if (method.getName().equals("connect")) {
                    return true;
                  }
                  if (method.getName().equals("getFile")) {
                    answer((GetFileRequest) arguments[1], closure(arguments[3]));
                    return new CompletableFuture<>();
                  }
                  throw new UnsupportedOperationException(method.getName());
                }));
    return options;
  }

  @SuppressWarnings("unchecked")
  private static RpcResponseClosure<GetFileResponse> closure(Object argument) {
    return (RpcResponseClosure<GetFileResponse>) argument;
  }

  private void answer(GetFileRequest request, RpcResponseClosure<GetFileResponse> closure) {
    requests.add(request);
    try {
      ByteString data =
          network.apply(
              request, read(request.getFilename(), request.getOffset(), request.getCount()));
      closure.setResponse(
          GetFileResponse.newBuilder()
              .setReadSize(data.size())
              .setEof(data.isEmpty())
              .setData(data)
              .build());
      closure.run(Status.OK());
    } catch (RetryAgainException e) {
      closure.run(new Status(RaftError.EAGAIN, "%s", e.getMessage()));
    } catch (IOException e) {
      closure.run(new Status(RaftError.EIO, "%s", e.getMessage()));
    }
  }

  private ByteString read(String name, long offset, long count)
      throws IOException, RetryAgainException {
    ByteBufferCollector buffer = ByteBufferCollector.allocate();
    int read = sender.readFile(buffer, name, offset, count);
    if (read < 0) {
      return ByteString.EMPTY;
    }
    byte[] bytes = Arrays.copyOf(buffer.getBuffer().array(), buffer.getBuffer().limit());
    if (buffer.getBuffer().arrayOffset() > 0) {
      bytes =
          Arrays.copyOfRange(
              buffer.getBuffer().array(),
              buffer.getBuffer().arrayOffset(),
              buffer.getBuffer().arrayOffset() + buffer.getBuffer().limit());
    }
    return ByteString.copyFrom(bytes);
  }

  private static void deleteQuietly(Path folder) {
    try {
      MapHost.delete(folder);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
