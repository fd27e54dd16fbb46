// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.cairn.server.http.Contract;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a node answers while a fault of its disk is dealt with. */
final class SwitchedRouterTest {
  @Test
  void theStatusOfANodeThatServesNothingIsADocumentLikeAnyOther() throws Exception {
    SwitchedRouter router = new SwitchedRouter("127.0.0.1:5000");
    router.refuse("the disk is full");
    List<String> told = new ArrayList<>();
    router.status(told::add);
    byte[] document = told.get(0).getBytes(StandardCharsets.UTF_8);
    new Contract()
        .hold("GET /v1/cluster", 200, Map.of("Content-Type", "application/json"), document);
    JsonNode problem = new ObjectMapper().readTree(document).path("problems").path(0);
    assertThat(problem.path("name").asText()).isEqualTo("node-closed");
    assertThat(problem.path("state").asText()).isEqualTo("pending");
    assertThat(problem.path("text").asText()).contains("127.0.0.1:5000", "the disk is full");
  }
}
