// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.planted;

import static net.bytebuddy.matcher.ElementMatchers.isConstructor;
import static net.bytebuddy.matcher.ElementMatchers.named;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.instrument.Instrumentation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.description.type.TypeDescription;
import net.bytebuddy.dynamic.DynamicType;
import net.bytebuddy.utility.JavaModule;

/** Plants a {@link Bug} in a node's JVM: {@code -javaagent:FILE=BUG}. */
public final class PlantAgent {
  /** What a node says that ends since a bug is not where it should be. */
  static final String NOT_PLANTED = "not planted:";

  private PlantAgent() {}

  /** Called by the JVM before the node's main. */
  public static void premain(String bug, Instrumentation instrumentation) {
    AgentBuilder builder =
        new AgentBuilder.Default().disableClassFormatChanges().with(new OrNothing());
    for (Bug.Point point : Bug.valueOf(bug).points()) {
      builder =
          builder
              .type(named(point.type()))
              .transform(
                  (type, description, loader, module, domain) ->
                      type.visit(
                          Advice.to(point.advice())
                              .on(
                                  point.method().equals(Bug.Point.CONSTRUCTOR)
                                      ? isConstructor()
                                      : named(point.method()))));
    }
    builder.installOn(instrumentation);
    System.out.println("planted: " + bug);
  }

  /** What a node says whose class is changed. */
  static String said(String type) {
    return "planted in " + type;
  }

  /** Ends the process; to be thrown, for the compiler. */
  static IllegalStateException notPlanted(Throwable cause) {
    System.out.println(NOT_PLANTED);
    cause.printStackTrace(System.out);
    Runtime.getRuntime().halt(97);
    return new IllegalStateException(cause);
  }

  /** Writes the agent's jar. */
  static Path jar(Path folder) throws IOException {
    Path file = folder.resolve("planted.jar");
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().putValue("Premain-Class", PlantAgent.class.getName());
    try (OutputStream out = Files.newOutputStream(file);
        JarOutputStream jar = new JarOutputStream(out, manifest)) {
      Path classes =
          Path.of(PlantAgent.class.getProtectionDomain().getCodeSource().getLocation().getPath());
      String folderName = PlantAgent.class.getPackageName().replace('.', '/');
      List<Path> files;
      try (var found = Files.list(classes.resolve(folderName))) {
        files = found.toList();
      }
      for (Path compiled : files) {
        jar.putNextEntry(new JarEntry(folderName + "/" + compiled.getFileName()));
        try (InputStream in = Files.newInputStream(compiled)) {
          in.transferTo(jar);
        }
      }
    }
    return file;
  }

  /** A node without the bug must not pass for one with it. */
  private static final class OrNothing extends AgentBuilder.Listener.Adapter {
    @Override
    public void onError(
        String type, ClassLoader loader, JavaModule module, boolean loaded, Throwable cause) {
      throw notPlanted(cause);
    }

    @Override
    public void onTransformation(
        TypeDescription type,
        ClassLoader loader,
        JavaModule module,
        boolean loaded,
        DynamicType changed) {
      System.out.println(said(type.getName()));
    }
  }
}
