package io.peft4j.train.objective;

import io.peft4j.core.Internal;
import io.peft4j.core.Registered;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.task.RowKind;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** The objectives on the class path that are chosen by name. There is no other list of them. */
@Internal(shared = true)
public final class ObjectiveTypes {
    private ObjectiveTypes() {
    }

    /** Nearly all rows can be read as such. */
    private static final List<RowKind<?>> LAST = List.of(ChatDataset.ROWS, RowKind.PROMPTS);

    /** All of them, in the order of their registration. */
    public static List<ObjectiveType<?>> all() {
        return Registered.all(ObjectiveType.class, type -> type.name() + ", " + type.rows().form()).stream()
                .<ObjectiveType<?>>map(type -> type).toList();
    }

    /**
     * The objectives of a name: one, or one for each kind of row.
     *
     * @throws ConfigurationException when there is none; the message lists those that there are
     */
    public static List<ObjectiveType<?>> named(String name) {
        List<ObjectiveType<?>> all = all();
        List<ObjectiveType<?>> found = all.stream().filter(type -> type.name().equals(name)).toList();
        if (found.isEmpty()) {
            throw new ConfigurationException("unknown objective '" + name + "'; use one of "
                    + all.stream().map(ObjectiveType::name).distinct().toList());
        }
        return found;
    }

    /** The objectives that can be learned together: those that predict tokens. */
    public static List<ObjectiveType<?>> together() {
        return all().stream().filter(type -> type.task().isEmpty()).toList();
    }

    /** Those of them that have a name; none where it is none of these. */
    public static List<ObjectiveType<?>> together(String name) {
        return together().stream().filter(type -> type.name().equals(name)).toList();
    }

    /**
     * The one of some objectives that learns the rows of a file. A file whose first row is of no kind is left to the
     * reader of the first one, which says what is missing.
     *
     * @throws DataException when the first row is of another kind; says which objective it fits
     */
    public static ObjectiveType<?> of(List<ObjectiveType<?>> some, OpenRows rows) {
        Optional<ObjectiveType<?>> fitting = some.stream().filter(type -> type.rows().isOf(rows)).findFirst();
        // Items of an evaluation could be prompts, but who trains on conversations means something else.
        boolean items = some.get(0).rows() == ChatDataset.ROWS && rows.first().flatMap(DataFormat::of).filter(
                DataFormat.EVALUATION::equals).isPresent();
        // Texts with a label are read from conversations, too.
        boolean chats = some.get(0).rows() == RowKind.TEXTS && ChatDataset.ROWS.isOf(rows);
        if (fitting.isEmpty() && !items) {
            kind(rows).filter(other -> !chats || !LAST.contains(other)).ifPresent(other -> {
                throw new DataException(rows.file().path(), 1, "holds " + other.words() + ", which fit the objective "
                        + learning(other) + "; here " + some.get(0).rows().words() + " are expected: "
                        + some.get(0).rows().form());
            });
        }
        return fitting.orElse(some.get(0));
    }

    /** What the first row of a file is; empty where no objective learns such rows. */
    public static Optional<RowKind<?>> kind(OpenRows rows) {
        return all().stream().<RowKind<?>>map(ObjectiveType::rows)
                .sorted(Comparator.comparing(LAST::indexOf))
                .filter(kind -> kind.isOf(rows))
                .findFirst();
    }

    /** The names of the objectives that learn rows of a kind, such as {@code dpo, orpo or simpo}. */
    public static String learning(RowKind<?> kind) {
        String names = String.join(", ", all().stream().filter(type -> type.rows() == kind).map(ObjectiveType::name)
                .toList());
        return names.replaceFirst(", (?!.*,)", " or ");
    }
}
