// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.server.command.CommandTable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/**
 * Rules, as redis-server 7.0.15 takes and refuses them: {@code acl-rules.csv} was recorded from it.
 */
final class UserRulesTest {
  private static final Catalog CATALOG = CommandTable.catalog();

  private static User user(String... rules) throws RuleException {
    return UserRules.change(UserRules.fresh(CATALOG, "u"), Arrays.asList(rules), CATALOG);
  }

  @ParameterizedTest
  @CsvFileSource(resources = "/acl-rules.csv", quoteCharacter = '\'')
  void aRuleIsTakenOrRefusedAsByRedis(String rule, String answer) throws RuleException {
    String given = rule == null ? "" : rule;
    if (answer.equals("OK")) {
      assertThat(user(given)).isNotNull();
    } else {
      assertThatThrownBy(() -> user(given)).isInstanceOf(RuleException.class).hasMessage(answer);
    }
  }

  @Test
  void aNewUserIsOffAndMayDoNothing() {
    assertThat(UserRules.fresh(CATALOG, "a").line()).isEqualTo("user a off resetchannels -@all");
    assertThat(Users.open(CATALOG).user("default").orElseThrow().line())
        .isEqualTo("user default on nopass ~* &* +@all");
  }

  @Test
  void usersAreToldAgainAsLines() throws RuleException {
    assertThat(
            user("on", ">pw", "~foo*", "%R~bar", "%W~baz", "&ch", "+get", "+@read", "-@dangerous")
                .line())
        .isEqualTo(
            "user u on #30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4"
                + " ~foo* %R~bar %W~baz resetchannels &ch -@all +get +@read -@dangerous");
    assertThat(user("(+get ~x)", "(%RW~y", "+@all)").line())
        .isEqualTo(
            "user u off resetchannels -@all (~x resetchannels -@all +get) (~y resetchannels +@all)");
    assertThat(user("+@all", "-get", "-config|get", "+config").line())
        .isEqualTo("user u off resetchannels +@all -get +config");
    assertThat(user("%R~a", "%W~a").line()).contains(" ~a ");
    assertThat(user("on", ">a", "reset").line())
        .isEqualTo("user u off sanitize-payload resetchannels -@all");
  }

  @Test
  void aPasswordTakesNopassAwayAndNopassThePasswords() throws RuleException {
    assertThat(user("nopass", ">a").isNopass()).isFalse();
    assertThat(user(">a", "nopass").passwords()).isEmpty();
    assertThat(user(">a", ">b", "<a").passwords())
        .containsExactly(Passwords.hash("b".getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void passwordsAreNotRepeated() {
    assertThatThrownBy(() -> user("<secret"))
        .hasMessage(
            "Error in ACL SETUSER modifier '<(redacted)': The password you are trying to remove from"
                + " the user does not exist");
  }

  @Test
  void commandsAndSubcommands() throws RuleException {
    assertThat(may(user("+config|get"), "config|get")).isTrue();
    assertThat(may(user("+config|get"), "config|set")).isFalse();
    assertThat(may(user("+config", "-config|set"), "config|set")).isFalse();
    assertThat(may(user("+config", "-config|set"), "config|get")).isTrue();
    assertThat(may(user("+@all", "-@dangerous"), "flushall")).isFalse();
    assertThat(may(user("+@all", "-@dangerous"), "get")).isTrue();
    assertThat(may(user(), "auth")).as("who has no rights may log in").isTrue();
    User first = user("+select|0");
    assertThat(denial(first, "select", "0")).isNull();
    assertThat(denial(first, "select", "1")).isEqualTo(User.Denial.COMMAND);
    assertThat(user("+@all").isUnlimited()).as("not with all keys").isFalse();
    assertThat(user("+@all", "~*").isUnlimited()).isTrue();
    assertThat(user("+@all", "~*", "-get").isUnlimited()).isFalse();
  }

  @Test
  void oneSelectorMustAllowTheCommandAndAllItsKeys() throws RuleException {
    User user = user("~x", "+get", "(+set ~y)");
    assertThat(denial(user, "get", "x")).isNull();
    assertThat(denial(user, "set", "y")).isNull();
    assertThat(denial(user, "get", "y")).isEqualTo(new User.Denial(0));
    assertThat(denial(user, "set", "x")).isEqualTo(new User.Denial(0));
    assertThat(denial(user("~a", "+mget"), "mget", "a", "a", "b")).isEqualTo(new User.Denial(2));
    assertThat(denial(user, "del", "x")).isEqualTo(User.Denial.COMMAND);
  }

  @Test
  void whatIsTooLargeIsRefused() {
    assertThatThrownBy(() -> user("~" + "x".repeat(UserRules.BYTES_MAX)))
        .hasMessageContaining("at most 65536 bytes");
    assertThat(UserRules.unfitName("x".repeat(64 << 10))).contains("at most 1024 bytes");
    assertThat(UserRules.unfitName("a b")).contains("can't contain spaces");
    assertThat(UserRules.unfitName("")).isNull();
  }

  /** What is told again makes the same user: so it survives a restart, and reaches other nodes. */
  @Property(tries = 500)
  void whatIsToldMakesTheSame(@ForAll("rules") List<String> rules) throws Exception {
    User made = user(rules.toArray(String[]::new));
    List<String> words = Arrays.asList(made.line().split(" ", -1));
    User again =
        UserRules.change(UserRules.fresh(CATALOG, "u"), words.subList(2, words.size()), CATALOG);
    assertThat(again.line()).isEqualTo(made.line());
    assertThat(allowed(again)).isEqualTo(allowed(made));
    Users before = Users.open(CATALOG);
    Users users = before.with("u", rules);
    Users decoded = Users.decode(CATALOG, users.encode());
    assertThat(decoded.user("u").orElseThrow().line()).isEqualTo(made.line());
    assertThat(before.after(users.encodeChange(before)).encode()).isEqualTo(users.encode());
  }

  /** Against a model: the last rule that is about a command decides. */
  @Property(tries = 500)
  void theLastRuleDecides(@ForAll("commandRules") List<String> rules) throws RuleException {
    User user = user(rules.toArray(String[]::new));
    for (int number = 0; number < CATALOG.size(); number++) {
      String name = CATALOG.name(number);
      boolean allowed = false;
      for (String rule : rules) {
        allowed = isAbout(rule.substring(1), number) ? rule.startsWith("+") : allowed;
      }
      if (!CATALOG.isOpen(number)) {
        assertThat(may(user, name)).as("%s by %s", name, rules).isEqualTo(allowed);
      }
    }
  }

  private static boolean isAbout(String rule, int number) {
    if (rule.startsWith("@")) {
      return rule.equals("@all") || Catalog.has(CATALOG.inCategory(rule.substring(1)), number);
    }
    return Catalog.has(CATALOG.family(CATALOG.number(rule)), number);
  }

  private static Set<String> allowed(User user) {
    return IntStream.range(0, CATALOG.size())
        .mapToObj(CATALOG::name)
        .filter(name -> may(user, name))
        .collect(Collectors.toSet());
  }

  private static boolean may(User user, String command) {
    return user.may(CATALOG, command);
  }

  private static User.Denial denial(User user, String command, String... keys) {
    List<byte[]> words =
        java.util.stream.Stream.concat(java.util.stream.Stream.of(command), Arrays.stream(keys))
            .map(word -> word.getBytes(StandardCharsets.UTF_8))
            .toList();
    return user.denial(
        CATALOG,
        CATALOG.number(command),
        words,
        new User.KeyUse() {
          @Override
          public int count() {
            return command.equals("select") ? 0 : keys.length;
          }

          @Override
          public byte[] key(int index) {
            return words.get(index + 1);
          }

          @Override
          public int directions(int index) {
            return READ;
          }
        });
  }

  @Provide
  Arbitrary<List<String>> commandRules() {
    List<String> names = IntStream.range(0, CATALOG.size()).mapToObj(CATALOG::name).toList();
    Arbitrary<String> about =
        Arbitraries.oneOf(
            Arbitraries.of(names),
            Arbitraries.of(Catalog.CATEGORIES).map(category -> "@" + category),
            Arbitraries.just("@all"));
    return Arbitraries.of("+", "-")
        .flatMap(sign -> about.map(name -> sign + name))
        .list()
        .ofMaxSize(8);
  }

  @Provide
  Arbitrary<List<String>> rules() {
    Arbitrary<String> pattern =
        Arbitraries.strings().withChars("abc*?[]\\{}()").ofMinLength(1).ofMaxLength(4);
    Arbitrary<String> key =
        Arbitraries.of("~", "%R~", "%W~", "%RW~").flatMap(how -> pattern.map(p -> how + p));
    Arbitrary<String> command =
        commandRules().filter(list -> !list.isEmpty()).map(list -> list.get(0));
    Arbitrary<String> selector = Arbitraries.of("(+get ~x)", "(-@all)", "(+@read %R~y* &z)", "()");
    Arbitrary<String> other =
        Arbitraries.of(
            "on",
            "off",
            "nopass",
            ">a",
            ">b",
            "resetpass",
            "resetkeys",
            "&c",
            "reset",
            "allchannels",
            "clearselectors",
            "+select|0",
            "resetchannels");
    return Arbitraries.oneOf(key, command, selector, other)
        .list()
        .ofMaxSize(10)
        .filter(UserRulesTest::isTaken);
  }

  private static boolean isTaken(List<String> rules) {
    try {
      user(rules.toArray(String[]::new));
      return true;
    } catch (RuleException e) {
      return false;
    }
  }

  @Test
  void nobodyIsLeftWithoutSomebodyWhoGivesRights() throws RuleException {
    Users open = Users.open(CATALOG);
    for (List<String> rules :
        List.of(List.of("off"), List.of("resetpass"), List.of("-acl"), List.of("-@admin"))) {
      assertThatThrownBy(() -> open.with("default", rules))
          .hasMessageContaining("nobody could give rights any more");
    }
    Users two = open.with("root", List.of("on", ">pw", "+@admin"));
    Users one = two.with("default", List.of("off"));
    assertThat(one.version()).isEqualTo(2);
    assertThatThrownBy(() -> one.without(List.of("root"))).hasMessageContaining("nobody");
    assertThatThrownBy(() -> one.without(List.of("default"))).hasMessageContaining("cannot be");
  }

  @Test
  void aFileIsReadOrSaysWhere() throws Exception {
    Users users = Users.ofFile(CATALOG, "# people\n\nuser a on >pw ~a* +@read\nuser default off\n");
    assertThat(users.all()).extracting(User::name).containsExactly("a", "default");
    assertThatThrownBy(() -> Users.ofFile(CATALOG, "user a on\nuser a off\n"))
        .hasMessage(
            "line 2: Duplicate user found. A user can only be defined once in config files");
    assertThatThrownBy(() -> Users.ofFile(CATALOG, "user a +nosuch"))
        .hasMessageStartingWith("line 1: Error in ACL SETUSER modifier '+nosuch'");
    assertThatThrownBy(() -> Users.ofFile(CATALOG, "usr a"))
        .hasMessage("line 1: it should be 'user NAME RULE ...'");
  }

  @Test
  void whatAnotherVersionKnowsIsLeftOut() throws Exception {
    Users read =
        Users.decode(
            CATALOG,
            "cairn-rights 1 7\nuser a on resetchannels -@all +get +lpush\n"
                .getBytes(StandardCharsets.UTF_8));
    assertThat(read.version()).isEqualTo(7);
    assertThat(read.user("a").orElseThrow().line()).endsWith("-@all +get");
    assertThatThrownBy(
            () -> Users.decode(CATALOG, "cairn-rights 2 7\n".getBytes(StandardCharsets.UTF_8)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("start the version that wrote them");
  }

  @Test
  void aChangeOfAnotherVersionChangesNothing() throws Exception {
    Users open = Users.open(CATALOG);
    Users a = open.with("a", List.of("on"));
    byte[] change = a.encodeChange(open);
    assertThat(Users.isChange(change)).isTrue();
    assertThat(Users.isChange("{\"format\":2}".getBytes(StandardCharsets.UTF_8))).isFalse();
    assertThat(a.after(change)).as("replayed").isSameAs(a);
    assertThat(a.without(List.of("a")).after(change).user("a")).as("never back").isEmpty();
  }

  @Test
  void tenThousandUsersAreTheMost() throws Exception {
    StringBuilder file = new StringBuilder();
    IntStream.range(0, Users.COUNT_MAX - 1)
        .forEach(i -> file.append("user u").append(i).append('\n'));
    Users users = Users.ofFile(CATALOG, file.toString());
    assertThat(users.all()).hasSize(Users.COUNT_MAX);
    assertThatThrownBy(() -> users.with("more", List.of())).hasMessageContaining("at most 10000");
    assertThat(users.with("u1", List.of("on")).all()).hasSize(Users.COUNT_MAX);
  }
}
