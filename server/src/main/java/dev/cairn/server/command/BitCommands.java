// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.RespValue;
import dev.cairn.server.operation.KeyOperation;
import dev.cairn.server.operation.Result;
import dev.cairn.server.operation.ValueOperation;
import dev.cairn.server.operation.ValueQuery;
import dev.cairn.server.value.BitField;
import dev.cairn.server.value.Bits;
import dev.cairn.server.value.Integers;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/** Commands on the bits of values. */
final class BitCommands {
  private static final String LENGTH = "O(N) where N is the length of the value";
  private static final String BAD_OFFSET = "bit offset is not an integer or out of range";
  private static final String BAD_TYPE =
      "Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";

  static final List<Row.Written> ROWS =
      Row.group(
          "bitmap",
          Row.write(
              "SETBIT key offset value",
              "2.2.0",
              "Sets a bit of a value to 0 or 1; returns what it was.",
              BitCommands::setbit),
          Row.read("GETBIT key offset", "2.2.0", "Returns a bit of a value.", BitCommands::getbit),
          Row.read(
                  "BITCOUNT key [start end [BYTE | BIT]]",
                  "2.6.0",
                  "Counts the bits that are set; BYTE and BIT since 7.0.",
                  BitCommands::bitcount)
              .slow(LENGTH),
          Row.read(
                  "BITPOS key bit [start [end [BYTE | BIT]]]",
                  "2.8.7",
                  "Finds the first bit that is 0 or 1; BYTE and BIT since 7.0.",
                  BitCommands::bitpos)
              .slow(LENGTH),
          Row.write(
                  "BITOP operation destkey key [key ...]",
                  "2.6.0",
                  "Combines the bits of values of one partition: AND, OR, XOR, NOT.",
                  BitCommands::bitop)
              .slow("O(N) where N is the length of the longest value"),
          Row.write(
              "BITFIELD key [GET type offset | SET type offset value | INCRBY type offset increment"
                  + " | OVERFLOW <WRAP | SAT | FAIL> ...]",
              "3.2.0",
              "Reads and writes integers of some width at some bit of a value.",
              call -> bitfield(call, false)),
          Row.read(
              "BITFIELD_RO key [GET type offset ...]",
              "6.0.0",
              "Reads integers of some width at some bit of a value.",
              call -> bitfield(call, true)));

  private BitCommands() {}

  private static Plan setbit(Call call) {
    long offset = offset(call, 2, 0);
    String refusal = "bit is not an integer or out of range";
    long bit = call.integer(3, refusal);
    if (bit != 0 && bit != 1) {
      throw new Refusal(refusal);
    }
    return Plan.write(
        new ValueOperation.BitFields(call.word(1), List.of(BitField.bit(offset, bit))),
        BitCommands::only);
  }

  private static Plan getbit(Call call) {
    BitField bit = BitField.bit(offset(call, 2, 0));
    return Plan.read(new ValueQuery.BitFields(call.word(1), List.of(bit)), BitCommands::only);
  }

  private static RespValue only(Result result) {
    return result instanceof Result.Many many
        ? Plan.reply(many.results().get(0))
        : Plan.reply(result);
  }

  /**
   * The index of a bit that a value may have.
   *
   * @param width what {@code #} in front multiplies by; 0 where that is not allowed
   */
  private static long offset(Call call, int index, int width) {
    byte[] word = call.word(index);
    boolean multiplied = width > 0 && word.length > 0 && word[0] == '#';
    long offset =
        Integers.parse(word, multiplied ? 1 : 0).orElseThrow(() -> new Refusal(BAD_OFFSET));
    long bit = multiplied ? offset * width : offset;
    if (bit < 0 || bit >> 3 >= call.port().facts().valueBytesMax()) {
      throw new Refusal(BAD_OFFSET);
    }
    return bit;
  }

  private static Plan bitcount(Call call) {
    try {
      if (call.count() == 2) {
        return Plan.read(new ValueQuery.BitCount(call.word(1), Bits.Span.WHOLE));
      }
      if (call.count() != 4 && call.count() != 5) {
        throw Refusal.syntax();
      }
      long start = call.integer(2);
      long end = call.integer(3);
      if (start < 0 && end < 0 && start > end) {
        return Plan.answer(0);
      }
      Bits.Span span = new Bits.Span(start, end, call.count() == 5 && countsBits(call, 4));
      return Plan.read(new ValueQuery.BitCount(call.word(1), span));
    } catch (Refusal refusal) {
      return Plan.refuseIfPresent(call.word(1), refusal, new RespValue.Int(0));
    }
  }

  private static boolean countsBits(Call call, int index) {
    if (!call.wordIs(index, "BIT") && !call.wordIs(index, "BYTE")) {
      throw Refusal.syntax();
    }
    return call.wordIs(index, "BIT");
  }

  private static Plan bitpos(Call call) {
    long bit = call.integer(2);
    if (bit != 0 && bit != 1) {
      throw new Refusal("The bit argument must be 1 or 0.");
    }
    try {
      return Plan.read(
          new ValueQuery.BitPosition(call.word(1), bit == 1, span(call), call.count() < 5));
    } catch (Refusal refusal) {
      return Plan.refuseIfPresent(call.word(1), refusal, new RespValue.Int(bit == 1 ? -1 : 0));
    }
  }

  private static Bits.Span span(Call call) {
    if (call.count() == 3) {
      return Bits.Span.WHOLE;
    }
    if (call.count() > 6) {
      throw Refusal.syntax();
    }
    long start = call.integer(3);
    boolean bits = call.count() == 6 && countsBits(call, 5);
    return new Bits.Span(start, call.count() > 4 ? call.integer(4) : -1, bits);
  }

  private static Plan bitop(Call call) {
    Bits.Combination how =
        switch (call.text(1).toUpperCase(Locale.ROOT)) {
          case "AND" -> Bits.Combination.AND;
          case "OR" -> Bits.Combination.OR;
          case "XOR" -> Bits.Combination.XOR;
          case "NOT" -> Bits.Combination.NOT;
          default -> throw Refusal.syntax();
        };
    if (how == Bits.Combination.NOT && call.count() != 4) {
      throw new Refusal("BITOP NOT must be called with a single source key.");
    }
    return Plan.write(
        new KeyOperation.BitCombine(
            how, call.word(2), List.copyOf(call.words().subList(3, call.count()))));
  }

  private static Plan bitfield(Call call, boolean readOnly) {
    List<BitField> steps = steps(call);
    if (steps.stream().noneMatch(BitField::writes)) {
      return Plan.read(new ValueQuery.BitFields(call.word(1), steps));
    }
    if (readOnly) {
      throw new Refusal("BITFIELD_RO only supports the GET subcommand");
    }
    return Plan.write(new ValueOperation.BitFields(call.word(1), steps));
  }

  private static List<BitField> steps(Call call) {
    List<BitField> steps = new ArrayList<>();
    BitField.Overflow overflow = BitField.Overflow.WRAP;
    int at = 2;
    while (at < call.count()) {
      int left = call.count() - at - 1;
      if (call.wordIs(at, "OVERFLOW") && left >= 1) {
        overflow = overflow(call.text(at + 1));
        at += 2;
        continue;
      }
      BitField.Action action;
      if (call.wordIs(at, "GET") && left >= 2) {
        action = BitField.Action.GET;
      } else if (call.wordIs(at, "SET") && left >= 3) {
        action = BitField.Action.SET;
      } else if (call.wordIs(at, "INCRBY") && left >= 3) {
        action = BitField.Action.INCREMENT;
      } else {
        throw Refusal.syntax();
      }
      boolean gets = action == BitField.Action.GET;
      int width = width(call.word(at + 1));
      boolean signed = call.word(at + 1)[0] == 'i';
      long offset = offset(call, at + 2, width);
      long argument = gets ? 0 : call.integer(at + 3);
      steps.add(new BitField(action, signed, width, offset, argument, overflow));
      at += gets ? 3 : 4;
    }
    return steps;
  }

  private static BitField.Overflow overflow(String word) {
    return switch (word.toUpperCase(Locale.ROOT)) {
      case "WRAP" -> BitField.Overflow.WRAP;
      case "SAT" -> BitField.Overflow.SATURATE;
      case "FAIL" -> BitField.Overflow.FAIL;
      default -> throw new Refusal("Invalid OVERFLOW type specified");
    };
  }

  private static int width(byte[] type) {
    boolean signed = type.length > 0 && type[0] == 'i';
    if (!signed && (type.length == 0 || type[0] != 'u')) {
      throw new Refusal(BAD_TYPE);
    }
    OptionalLong width = Integers.parse(type, 1);
    if (width.isEmpty() || width.getAsLong() < 1 || width.getAsLong() > (signed ? 64 : 63)) {
      throw new Refusal(BAD_TYPE);
    }
    return (int) width.getAsLong();
  }
}
