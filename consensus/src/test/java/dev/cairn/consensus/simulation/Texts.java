// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.Entry;
import dev.cairn.consensus.Member;
import dev.cairn.consensus.Message;
import dev.cairn.consensus.Peer;
import dev.cairn.consensus.Role;
import dev.cairn.consensus.Write;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Says in words what a group writes and sends. An entry is named index@term; the first incarnation
 * of a peer is not shown.
 */
final class Texts {
  private Texts() {}

  static String name(Peer peer) {
    return peer.incarnation() == 1 ? peer.node() : peer.toString();
  }

  static String text(Write write) {
    List<String> parts = new ArrayList<>();
    if (write.hardState() != null) {
      Peer votedFor = write.hardState().votedFor();
      parts.add(
          "term "
              + write.hardState().term()
              + (votedFor == null ? ", no vote" : ", vote for " + name(votedFor)));
    }
    if (write.reset() != null) {
      parts.add("the log begins anew behind " + write.reset().index());
    }
    if (write.compactedTo() > 0) {
      parts.add("the log begins behind " + write.compactedTo());
    }
    write.entries().forEach(entry -> parts.add(text(entry)));
    return ": " + String.join("; ", parts);
  }

  private static String text(Entry entry) {
    String place = entry.index() + "@" + entry.term() + " ";
    if (entry.configuration() != null) {
      return place + text(entry.configuration());
    }
    return place
        + (entry.data() == null
            ? "first"
            : new String(entry.data(), StandardCharsets.UTF_8).replace("\0", ""));
  }

  static String text(Configuration configuration) {
    StringBuilder text = new StringBuilder("{");
    configuration.voters().forEach(member -> text.append(text(member)).append(' '));
    if (configuration.isJoint()) {
      text.append("from ");
      configuration.outgoing().forEach(member -> text.append(text(member)).append(' '));
    }
    if (!configuration.learners().isEmpty()) {
      text.append("learn ");
      configuration.learners().forEach(peer -> text.append(name(peer)).append(' '));
    }
    return text.append("epoch ").append(configuration.epoch()).append('}').toString();
  }

  private static String text(Member member) {
    return name(member.peer()) + (member.role() == Role.WITNESS ? "*" : "");
  }

  static String text(Message message) {
    String pair = name(message.from()) + ">" + name(message.to()) + "  ";
    return pair + textOf(message);
  }

  private static String textOf(Message message) {
    if (message instanceof Message.Vote vote) {
      String asked =
          Map.of(
                  Message.Ballot.PRE, "could I win term ",
                  Message.Ballot.REAL, "vote for me in term ",
                  Message.Ballot.TRANSFER, "the leader sent me: vote for me in term ")
              .get(vote.ballot());
      return asked + vote.term() + ", my log ends at " + place(vote.lastIndex(), vote.lastTerm());
    }
    if (message instanceof Message.VoteReply reply) {
      return (reply.granted() ? "yes" : "no")
          + (reply.ballot() == Message.Ballot.PRE ? " before the vote" : "")
          + ", term "
          + reply.term();
    }
    if (message instanceof Message.Append append) {
      String entries = String.join("; ", append.entries().stream().map(Texts::text).toList());
      return "append in term "
          + append.term()
          + " behind "
          + place(append.prevIndex(), append.prevTerm())
          + ": "
          + (entries.isEmpty() ? "nothing" : entries)
          + "; commit "
          + append.commit()
          + question(append.round())
          + text(append.keep());
    }
    if (message instanceof Message.AppendReply reply) {
      return reply.accepted()
          ? "have up to " + reply.index() + question(reply.round()) + flushed(reply.flushed())
          : "not behind " + reply.index() + ", try " + place(reply.hintIndex(), reply.hintTerm());
    }
    if (message instanceof Message.Beat beat) {
      return "I lead term "
          + beat.term()
          + "; commit "
          + beat.commit()
          + question(beat.round())
          + text(beat.keep());
    }
    if (message instanceof Message.BeatReply reply) {
      return "you lead term "
          + reply.term()
          + question(reply.round())
          + flushed(reply.flushed())
          + (reply.installing() ? "; fetching" : "");
    }
    if (message instanceof Message.Install install) {
      return "fetch a snapshot at "
          + place(install.reference().index(), install.reference().term());
    }
    if (message instanceof Message.InstallReply reply) {
      return reply.index() == 0 ? "no snapshot" : "have the snapshot at " + reply.index();
    }
    if (message instanceof Message.TakeOver takeOver) {
      return "take over from term " + takeOver.term();
    }
    return "your term is old, I know " + message.term();
  }

  private static String place(long index, long term) {
    return index + "@" + term;
  }

  private static String question(long round) {
    return round == 0 ? "" : ", question " + round;
  }

  private static String flushed(long index) {
    return index == 0 ? "" : ", flushed " + index;
  }

  private static String text(Message.Keep keep) {
    return keep.from() == 0
        ? ""
        : "; keep from " + keep.from() + " by " + keep.configurationIndex();
  }
}
