package io.peft4j.methods;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.ConfigReader;
import io.peft4j.core.peft.config.ConfigWriter;
import io.peft4j.core.peft.config.KeyFormat;
import java.util.OptionalInt;

/** {@code task_id}, a key that Hugging Face PEFT does not have: it stands in a file only where there is one. */
final class TaskId implements KeyFormat<OptionalInt> {
    @Override
    public OptionalInt read(ConfigReader reader, String key, String fallback) {
        String text = reader.json(key).orElse("null");
        if (text.equals("null")) {
            return OptionalInt.empty();
        }
        Checks.require(text.matches("\\d{1,9}"), key + " is " + text + "; it must be an integer from 0 on");
        return OptionalInt.of(Integer.parseInt(text));
    }

    @Override
    public void write(ConfigWriter writer, String key, OptionalInt task) {
        task.ifPresent(number -> writer.putJson(key, "" + number));
    }

    /** Requires one of several tasks, or none of one. */
    static void check(OptionalInt task, String count, int tasks) {
        Checks.atLeast(1, count, tasks);
        Checks.require(task.isPresent() || tasks == 1, count + " is " + tasks + ", and an adapter works for one "
                + "task at a time; say which by task_id, from 0 to " + (tasks - 1));
        Checks.require(task.orElse(0) < tasks, "task_id is " + task.orElse(0) + "; it must be less than " + count
                + ", " + tasks);
    }
}
