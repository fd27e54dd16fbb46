// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.clients;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The libraries of other languages, and curl, over TLS, as a user: {@code .ci/clients} runs it. */
@Tag("clients")
class SecuredOtherLibrariesTest extends SecuredLibraries {
  @Override
  List<Library> connect(Seed seed) {
    List<Library> all = new ArrayList<>(OtherLibrariesTest.all(seed));
    all.add(new ScriptLibrary("redis-rb", "", seed, "ruby", "redis_rb.rb"));
    return all;
  }

  @Order(5)
  @Test
  void curlPutsAndGetsAndIsRefusedTheSame() {
    assertThat(curl(PASSWORD, "key", "-X", "PUT", "--data-binary", "myvalue")).isEqualTo("201");
    assertThat(curl(PASSWORD, "key")).isEqualTo("myvalue 200");
    assertThat(curl(PASSWORD, "salaries")).contains("NOPERM").endsWith(" 403");
    assertThat(curl("another-password", "key")).endsWith(" 401");
  }

  /** What it was answered, and the status. */
  private String curl(String password, String key, String... more) {
    String node = cluster.node(1).host() + ":" + cluster.node(1).port();
    List<String> command =
        new ArrayList<>(
            List.of(
                "curl",
                "--silent",
                "--show-error",
                "--cacert",
                secured.ca().toString(),
                "--user",
                USER + ":" + password,
                "--write-out",
                " %{http_code}"));
    command.addAll(List.of(more));
    command.add("https://" + node + "/v1/kv/" + key);
    return Tool.run(List.of(), command);
  }
}
