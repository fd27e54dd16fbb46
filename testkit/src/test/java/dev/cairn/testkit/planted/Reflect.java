// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.planted;

import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/**
 * Reaches what is nobody's business outside its class. What is not there ends the process: its bug
 * would not be the one that is looked for.
 */
final class Reflect {
  private Reflect() {}

  /** Calls the method of that name and number of arguments. */
  static Object call(Object target, String name, Object... arguments) {
    return call(target.getClass(), target, name, arguments);
  }

  /** Calls the static method of that name and number of arguments. */
  static Object callStatic(String type, String name, Object... arguments) {
    try {
      return call(Class.forName(type), null, name, arguments);
    } catch (ClassNotFoundException e) {
      throw PlantAgent.notPlanted(e);
    }
  }

  private static Object call(Class<?> of, Object target, String name, Object... arguments) {
    for (Class<?> type = of; type != null; type = type.getSuperclass()) {
      for (Method method : type.getDeclaredMethods()) {
        if (method.getName().equals(name) && method.getParameterCount() == arguments.length) {
          return invoke(method, target, arguments);
        }
      }
    }
    throw PlantAgent.notPlanted(new NoSuchMethodException(name + " in " + of));
  }

  private static Object invoke(Method method, Object target, Object... arguments) {
    try {
      method.setAccessible(true);
      return method.invoke(target, arguments);
    } catch (InvocationTargetException | IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The value of a field. */
  static Object field(Object target, String name) {
    try {
      Field field = target.getClass().getDeclaredField(name);
      field.setAccessible(true);
      return field.get(target);
    } catch (ReflectiveOperationException e) {
      throw PlantAgent.notPlanted(e);
    }
  }
}
