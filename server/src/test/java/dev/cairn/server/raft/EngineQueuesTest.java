// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.AccessTarget.CodeUnitCallTarget;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * JRaft was compiled against LMAX Disruptor, whose place cairn-queues takes: whatever it calls must
 * be there, by name, parameters and result, or a node finds out while it serves.
 */
class EngineQueuesTest {
  private static final String QUEUES = "com.lmax.disruptor";
  private static final JavaClasses CLASSES =
      new ClassFileImporter().importPackages("com.alipay.sofa.jraft", QUEUES);

  @Test
  void allThatTheEngineCallsIsThere() {
    List<CodeUnitCallTarget> called =
        CLASSES.stream()
            .filter(caller -> !caller.getPackageName().startsWith(QUEUES))
            .flatMap(caller -> caller.getCodeUnitCallsFromSelf().stream())
            .<CodeUnitCallTarget>map(call -> call.getTarget())
            .filter(target -> target.getOwner().getPackageName().startsWith(QUEUES))
            .distinct()
            .toList();

    assertThat(called).hasSizeGreaterThan(8);
    assertThat(called)
        .allSatisfy(
            target -> {
              assertThat(target.resolveMember()).as(target.getFullName()).isPresent();
              JavaCodeUnit found = target.resolveMember().orElseThrow();
              assertThat(found.getRawReturnType().getName())
                  .as(target.getFullName())
                  .isEqualTo(target.getRawReturnType().getName());
            });
  }

  @Test
  void whatTheEngineImplementsIsWhatItWasCompiledAgainst() {
    assertThat(CLASSES.get("com.lmax.disruptor.EventHandler").getMethods())
        .extracting(method -> method.getFullName())
        .containsExactly(
            "com.lmax.disruptor.EventHandler.onEvent(java.lang.Object, long, boolean)");
    assertThat(CLASSES.get("com.lmax.disruptor.EventTranslator").getMethods())
        .extracting(method -> method.getFullName())
        .containsExactly("com.lmax.disruptor.EventTranslator.translateTo(java.lang.Object, long)");
    assertThat(CLASSES.get("com.lmax.disruptor.EventFactory").getMethods())
        .extracting(method -> method.getFullName())
        .containsExactly("com.lmax.disruptor.EventFactory.newInstance()");
  }
}
