// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.testkit.ProcessCluster;
import dev.cairn.testkit.RedisServer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The pipelines of redis-py and redis-rb, of all string and key commands, give for a node what they
 * give for redis-server: {@code .ci/clients} runs it.
 */
@Tag("clients")
class LibraryPipelinesTest {
  @Test
  void equalRedisServers() {
    try (RedisServer redis = RedisServer.start();
        ProcessCluster cluster = ProcessCluster.of(3).start()) {
      cluster.awaitHealthy();
      Path scripts = Path.of(System.getProperty("cairn.checkout"), "testkit/clients");
      for (List<String> script :
          List.of(List.of("/usr/bin/python3", "pipelines.py"), List.of("ruby", "pipelines.rb"))) {
        String said =
            Tool.run(
                List.of(),
                List.of(
                    script.get(0),
                    scripts.resolve(script.get(1)).toString(),
                    Integer.toString(redis.port()),
                    Integer.toString(cluster.node(0).port())));
        assertThat(said).as(script.get(1)).matches("[0-9]{4,} calls");
      }
    }
  }
}
