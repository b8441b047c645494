package io.peft4j.methods;

import io.peft4j.core.nn.RowTask;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.ConfigReader;
import io.peft4j.core.peft.config.ConfigWriter;
import io.peft4j.core.peft.config.KeyFormat;
import java.util.OptionalInt;

/**
 * {@code task_id}, the task of rows that name none: a key that Hugging Face PEFT does not have, so that it is in a file
 * only if there is one.
 */
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

    /** Requires one of the tasks, or none. */
    static void check(OptionalInt task, String count, int tasks) {
        Checks.atLeast(1, count, tasks);
        Checks.require(task.orElse(0) < tasks, "task_id is " + task.orElse(0) + "; it must be less than " + count
                + ", " + tasks);
    }

    /** The task that rows name, else the adapter's own, or the only one. */
    static RowTask of(int asked, OptionalInt own, String count, int tasks) {
        int task = asked != TokenSequence.NO_TASK ? asked : own.orElse(tasks == 1 ? 0 : asked);
        if (task >= 0 && task < tasks) {
            return RowTask.of(task);
        }
        String said = task == TokenSequence.NO_TASK ? "has no task_id, and the adapter none of its own" : "has "
                + (task < 0 ? "a task_id" : "the task_id " + task) + " that the adapter does not have";
        return RowTask.refused(said + "; " + count + " is " + tasks + ", so it is an integer from 0 to " + (tasks - 1));
    }
}
