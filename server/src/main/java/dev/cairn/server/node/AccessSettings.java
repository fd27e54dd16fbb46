// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.server.access.AccessControl;
import dev.cairn.server.access.Audit;
import dev.cairn.server.access.Passwords;
import dev.cairn.server.access.RuleException;
import dev.cairn.server.access.Users;
import dev.cairn.server.cluster.MetaGroup;
import dev.cairn.server.command.CommandTable;
import dev.cairn.server.tls.ClientCertificates;
import dev.cairn.server.tls.SmallFile;
import dev.cairn.server.tls.TlsException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who may do what, as far as a node is told from outside. It counts until the cluster's log has
 * rights; from then on the log is what counts, and what is told here only seeds a new cluster.
 *
 * @param usersFile users, a line each
 * @param passwordFile the password of the user {@code default}
 * @param recoveryPasswordFile one by which {@code default} may do all from loopback
 * @param rules what this node says of all users
 */
record AccessSettings(
    Optional<Path> usersFile,
    Optional<Path> passwordFile,
    Optional<Path> recoveryPasswordFile,
    AccessControl.Rules rules) {
  private static final Logger log = LoggerFactory.getLogger(AccessSettings.class);
  private static final int PASSWORD_BYTES_MAX = 4096;
  private static final int AGE_LEAST_SECONDS = 5;
  private static final int AGE_MAX_SECONDS = 86_400;
  private static final String BY_CERTIFICATE = "certificate";
  private static final List<String> USERS_BY = List.of("password", BY_CERTIFICATE);
  private static final int USERS_BYTES_MAX = 64 << 20;

  /**
   * Reads it.
   *
   * @param certificates whether clients show certificates
   */
  static AccessSettings of(SettingReader reader, ClientCertificates certificates)
      throws StartException {
    return new AccessSettings(
        reader.file(Setting.USERS_FILE),
        reader.file(Setting.PASSWORD_FILE),
        reader.file(Setting.RECOVERY_PASSWORD_FILE),
        new AccessControl.Rules(
            reader.number(Setting.USER_CONNECTIONS_MAX, 0, Integer.MAX_VALUE).orElse(0),
            TimeUnit.SECONDS.toMillis(ageMaxSeconds(reader)),
            byCertificate(reader, certificates)));
  }

  private static boolean byCertificate(SettingReader reader, ClientCertificates certificates)
      throws StartException {
    Optional<String> by =
        reader.named(
            Setting.TLS_USERS,
            word -> Optional.of(word).filter(USERS_BY::contains),
            String.join(", ", USERS_BY));
    boolean byCertificate = by.filter(BY_CERTIFICATE::equals).isPresent();
    if (byCertificate && certificates == ClientCertificates.NONE) {
      throw new StartException(
          "--tls-users certificate needs clients that show certificates: give --tls-ca FILE, and"
              + " leave --tls-clients none out");
    }
    return byCertificate;
  }

  private static int ageMaxSeconds(SettingReader reader) throws StartException {
    int seconds = reader.number(Setting.RIGHTS_AGE_MAX, 0, AGE_MAX_SECONDS).orElse(0);
    if (seconds > 0 && seconds < AGE_LEAST_SECONDS) {
      throw new StartException(
          "--rights-age-max-seconds %d is too short: it is 0, or at least %d, since an election may take as long"
              .formatted(seconds, AGE_LEAST_SECONDS));
    }
    return seconds;
  }

  /**
   * What a node acts on when it comes up: what it knew last, or else the seed.
   *
   * @param audit what is to be looked up later
   * @throws StartException when a file is not as it should be; the message says what to do
   */
  AccessControl open(Path folder, Audit audit) throws StartException, IOException {
    Users seed = seed();
    Users known =
        MetaGroup.lastKnownRights(MetaGroup.Kept.in(folder).rights(), CommandTable.catalog(), seed);
    if (known != seed) {
      warnOfOtherPassword(known);
    }
    Optional<String> recovery = Optional.empty();
    if (recoveryPasswordFile.isPresent()) {
      recovery = Optional.of(Passwords.hash(password(recoveryPasswordFile.get())));
      log.warn(
          "--recovery-password-file is given: from this machine the user default may do all with"
              + " that password. Give the users their rights, and start the node without it");
      audit.add(
          new Audit.Event(
              Audit.Kind.START,
              Audit.Outcome.DONE,
              "",
              "",
              "with --recovery-password-file: the user default may do all from this machine"));
    }
    return new AccessControl(CommandTable.catalog(), known, recovery, rules, audit);
  }

  private Users seed() throws StartException, IOException {
    Users seed = Users.open(CommandTable.catalog());
    try {
      if (usersFile.isPresent()) {
        seed = Users.ofFile(CommandTable.catalog(), users(usersFile.get()));
      }
    } catch (RuleException wrong) {
      throw new StartException(
          "--users-file %s, %s".formatted(usersFile.get(), wrong.getMessage()), wrong);
    }
    if (passwordFile.isPresent()) {
      String hash = Passwords.hash(password(passwordFile.get()));
      try {
        seed = seed.with("default", List.of("resetpass", "#" + hash)).asSeed();
      } catch (RuleException wrong) {
        throw new StartException("--password-file: " + wrong.getMessage(), wrong);
      }
    }
    if (!seed.givesRights()) {
      throw new StartException(
          "--users-file %s: no user in it is on, has a password and may run ACL SETUSER, so that nobody could ever give rights; give one of them 'on >password +@admin'"
              .formatted(usersFile.map(Path::toString).orElse("")));
    }
    return seed;
  }

  /** The log counts: a file that says something else is a mistake, or was not taken away. */
  private void warnOfOtherPassword(Users known) throws StartException, IOException {
    if (usersFile.isPresent()) {
      log.info("--users-file seeds a new cluster; this one has its users already");
    }
    if (passwordFile.isPresent()) {
      String hash = Passwords.hash(password(passwordFile.get()));
      boolean same =
          known.user("default").filter(user -> user.passwords().contains(hash)).isPresent();
      if (!same) {
        log.warn(
            "--password-file has another password than the user default has in this cluster, and"
                + " changes nothing: change it with CONFIG SET requirepass, or ACL SETUSER default");
      }
    }
  }

  private static String users(Path file) throws StartException {
    return new String(secret(file, USERS_BYTES_MAX), StandardCharsets.ISO_8859_1);
  }

  /** The bytes of a file, without the end of its line. */
  private static byte[] password(Path file) throws StartException {
    byte[] bytes = secret(file, PASSWORD_BYTES_MAX);
    int length = bytes.length;
    while (length > 0 && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r')) {
      length--;
    }
    if (length == 0) {
      throw new StartException(
          file + " holds no password: openssl rand -base64 32 > " + file + " makes one");
    }
    return Arrays.copyOf(bytes, length);
  }

  private static byte[] secret(Path file, int bytesMax) throws StartException {
    try {
      return SmallFile.readPrivate(file, bytesMax);
    } catch (TlsException e) {
      throw new StartException(e.getMessage(), e);
    }
  }
}
