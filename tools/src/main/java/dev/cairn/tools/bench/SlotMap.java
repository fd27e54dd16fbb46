// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import dev.cairn.client.Address;
import dev.cairn.client.Security;
import dev.cairn.protocol.RespReader;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.RespWriter;
import dev.cairn.protocol.Slots;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * The master of each slot, as a server tells by CLUSTER SLOTS.
 *
 * @param masters by slot, {@link Slots#COUNT} of them; null where a slot has none
 */
record SlotMap(Address[] masters) {

  /**
   * Asks a server. Blocks up to the timeout for the connection and for each read.
   *
   * @throws IOException no answer, or one that is not CLUSTER SLOTS'
   */
  static SlotMap ask(Address server, int timeoutMillis, Security security) throws IOException {
    try (Socket connected = new Socket()) {
      connected.connect(new InetSocketAddress(server.host(), server.port()), timeoutMillis);
      connected.setSoTimeout(timeoutMillis);
      Socket socket = security.secure(connected, server);
      if (security.login().isPresent()) {
        socket.getOutputStream().write(security.login().get());
        if (reply(socket.getInputStream()) instanceof RespValue.ErrorReply refused) {
          throw new IOException("the login was refused: " + refused.text());
        }
      }
      socket.getOutputStream().write(RespWriter.command("CLUSTER", "SLOTS"));
      return parse(reply(socket.getInputStream()), server);
    } catch (IOException | RuntimeException failed) {
      throw new IOException("CLUSTER SLOTS of " + server + ": " + failed.getMessage(), failed);
    }
  }

  private static RespValue reply(InputStream in) throws IOException {
    RespReader reader = new RespReader();
    byte[] buffer = new byte[16_384];
    while (true) {
      Optional<RespValue> reply = reader.next();
      if (reply.isPresent()) {
        return reply.get();
      }
      int length = in.read(buffer);
      if (length < 0) {
        throw new IOException("the connection ended");
      }
      reader.feed(buffer, 0, length);
    }
  }

  /**
   * Reads the answer: an array of [first slot, last slot, [host, port, ...] of the master, ...].
   *
   * @param server whose answer it is: a host left empty is its own
   */
  static SlotMap parse(RespValue reply, Address server) throws IOException {
    if (reply instanceof RespValue.ErrorReply error) {
      throw new IOException("it answered " + error.code() + " " + error.message());
    }
    Address[] masters = new Address[Slots.COUNT];
    try {
      for (RespValue range : elements(reply)) {
        List<RespValue> parts = elements(range);
        List<RespValue> master = elements(parts.get(2));
        Address address = new Address(host(master.get(0), server), (int) number(master.get(1)));
        for (long slot = number(parts.get(0)); slot <= number(parts.get(1)); slot++) {
          masters[(int) slot] = address;
        }
      }
    } catch (ClassCastException | IndexOutOfBoundsException | IllegalArgumentException malformed) {
      throw new IOException("it answered what is no list of slots", malformed);
    }
    return new SlotMap(masters);
  }

  private static List<RespValue> elements(RespValue value) {
    return ((RespValue.Array) value).elements();
  }

  private static long number(RespValue value) {
    return ((RespValue.Int) value).value();
  }

  private static String host(RespValue value, Address server) {
    String host =
        value instanceof RespValue.Bulk bulk
            ? new String(bulk.bytes(), StandardCharsets.UTF_8)
            : value instanceof RespValue.SimpleString text ? text.text() : "";
    return host.isEmpty() || host.equals("?") ? server.host() : host;
  }
}
