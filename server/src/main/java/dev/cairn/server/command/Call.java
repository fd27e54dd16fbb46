// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespValue;
import dev.cairn.server.routing.Router;
import dev.cairn.server.value.Integers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;

/**
 * One command of one connection, being run. Its state may be touched on the connection's event loop
 * only, that is until the handler returns; {@code done} may be called on any thread, exactly once.
 *
 * @param port what all calls of its port share
 * @param words the command's name and arguments
 * @param options what the request asked for beside the command
 * @param done takes the reply
 */
record Call(
    Port port,
    Command command,
    ClientState client,
    List<byte[]> words,
    RequestOptions options,
    Consumer<RespValue> done) {

  /** How much a read of this command waits for. */
  Consistency readLevel() {
    return options.level().orElse(client.readLevel());
  }

  /** How much a write of this command waits for. */
  Consistency writeLevel() {
    return options.level().orElse(client.writeLevel());
  }

  Router router() {
    return port.router().current();
  }

  int count() {
    return words.size();
  }

  byte[] word(int index) {
    return words.get(index);
  }

  String text(int index) {
    return new String(words.get(index), StandardCharsets.UTF_8);
  }

  boolean wordIs(int index, String wanted) {
    return text(index).equalsIgnoreCase(wanted);
  }

  /** A whole number, as Redis reads one. */
  long integer(int index) {
    return integer(index, "value is not an integer or out of range");
  }

  /** A whole number, or a refusal of its own. */
  long integer(int index, String refusal) {
    return Integers.parse(words.get(index)).orElseThrow(() -> new Refusal(refusal));
  }

  /** A whole number of 32 bits. */
  int smallInteger(int index) {
    long number = integer(index);
    if (number != (int) number) {
      throw new Refusal(
          "value is out of range, value must between %d and %d"
              .formatted(Integer.MIN_VALUE, Integer.MAX_VALUE));
    }
    return (int) number;
  }

  /** A value that this node stores, or a refusal. */
  byte[] value(int index) {
    byte[] value = words.get(index);
    int valueBytesMax = port.facts().valueBytesMax();
    if (value.length > valueBytesMax) {
      throw new Refusal(
          "value has %d bytes, this node stores at most %d".formatted(value.length, valueBytesMax));
    }
    return value;
  }

  void reply(RespValue value) {
    done.accept(value);
  }

  void ok() {
    done.accept(RespValue.OK);
  }

  void error(String message) {
    done.accept(RespValue.error(ErrorCode.ERR, message));
  }
}
