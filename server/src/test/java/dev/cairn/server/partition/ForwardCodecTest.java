// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.server.operation.EntryCodecTest;
import dev.cairn.server.operation.Mistake;
import dev.cairn.server.operation.OperationCodecTest;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Result;
import dev.cairn.server.partition.ForwardCodec.Forwarded;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class ForwardCodecTest {
  private interface Decoder {
    Object decode(byte[] bytes) throws IOException;
  }

  @Property(tries = 100)
  void writesTravel(@ForAll("writes") Forwarded<Request> writes) throws IOException {
    check(ForwardCodec.encodeWrites(writes), writes, ForwardCodec::decodeWrites);
  }

  @Property(tries = 100)
  void readsTravel(@ForAll("reads") Forwarded<List<Query>> reads) throws IOException {
    check(ForwardCodec.encodeReads(reads), reads, ForwardCodec::decodeReads);
  }

  @Property(tries = 100)
  void repliesTravel(@ForAll("replies") BatchReply reply) throws IOException {
    check(ForwardCodec.encodeReply(reply), reply, ForwardCodec::decodeReply);
  }

  private static void check(byte[] bytes, Object value, Decoder decoder) throws IOException {
    assertThat(decoder.decode(bytes)).usingRecursiveComparison().isEqualTo(value);
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThatThrownBy(() -> decoder.decode(cut)).isInstanceOf(IOException.class);
    }
    byte[] newer = bytes.clone();
    newer[0]++;
    assertThatThrownBy(() -> decoder.decode(newer)).hasMessageContaining("format 2");
  }

  @Provide
  Arbitrary<Forwarded<Request>> writes() {
    return forwarded(EntryCodecTest.requests());
  }

  @Provide
  Arbitrary<Forwarded<List<Query>>> reads() {
    Arbitrary<Query> queries =
        Arbitraries.oneOf(
            bytes().map(Query.Get::new),
            bytes().map(Query.Exists::new),
            Arbitraries.of(OperationCodecTest.queries()));
    return forwarded(queries.list().ofMaxSize(3));
  }

  private static <R> Arbitrary<Forwarded<R>> forwarded(Arbitrary<R> requests) {
    return Combinators.combine(
            Arbitraries.integers(), Arbitraries.integers(), requests.list().ofMaxSize(3))
        .as(Forwarded::new);
  }

  @Provide
  Arbitrary<BatchReply> replies() {
    Arbitrary<Result> results =
        Arbitraries.oneOf(
            Arbitraries.create(Result.Ok::new),
            Arbitraries.create(Result.Nil::new),
            Arbitraries.longs().map(Result.Int::new),
            bytes().map(Result.Bytes::new),
            Arbitraries.of(Result.NotApplied.Why.values()).map(Result.NotApplied::new),
            Arbitraries.of(Mistake.values()).map(Result.Failed::new),
            bytes()
                .map(value -> new Result.Many(List.of(new Result.Bytes(value), new Result.Ok()))));
    return Arbitraries.oneOf(
        Combinators.combine(
                results.list().ofMaxSize(3).list().ofMaxSize(3),
                Arbitraries.longs(),
                Arbitraries.longs(),
                Arbitraries.longs())
            .as(BatchReply.Done::new),
        Combinators.combine(
                Arbitraries.of(BatchReply.Reason.values()),
                Arbitraries.strings().alpha().ofMinLength(1).ofMaxLength(40).optional())
            .as(BatchReply.Refused::new),
        Arbitraries.strings().ofMaxLength(20).alpha().map(BatchReply.Unknown::new));
  }

  private static Arbitrary<byte[]> bytes() {
    return Arbitraries.bytes().array(byte[].class).ofMaxSize(12);
  }
}
