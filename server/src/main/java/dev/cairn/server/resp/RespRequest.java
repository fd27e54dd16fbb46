// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import dev.cairn.server.command.RequestMemory;
import java.util.List;

/**
 * One request, whole.
 *
 * @param words its command and arguments; one or more unless it is HTTP
 * @param bytes what it holds in the {@link RequestMemory}, given back by whoever is done with it
 * @param refusal why it cannot be carried out although it could be read; empty for nearly all
 * @param http whether an HTTP request begins here, of which nothing was consumed
 */
record RespRequest(List<byte[]> words, long bytes, String refusal, boolean http) {}
