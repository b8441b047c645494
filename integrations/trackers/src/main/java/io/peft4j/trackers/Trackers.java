package io.peft4j.trackers;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Trackers by the words of the command line. */
public final class Trackers {
    private static final List<String> NAMES = List.of("csv", "mlflow", "tensorboard", "wandb");

    private Trackers() {
    }

    /**
     * The tracker that a word names: {@code tensorboard[=FOLDER]}, {@code mlflow[=URI]}, {@code wandb[=FOLDER]} or
     * {@code csv[=FILE]}.
     *
     * @param word the name, and behind an equals sign where to
     * @param output the folder of the training: what has no place of its own goes into it, to {@code runs},
     *     {@code wandb} and {@code metrics.csv}
     * @throws ConfigurationException when there is no such tracker, or the place is no address
     */
    public static Tracker of(String word, Path output) {
        int sign = word.indexOf('=');
        String name = sign < 0 ? word : word.substring(0, sign);
        Optional<String> place = sign < 0 ? Optional.empty() : Optional.of(word.substring(sign + 1));
        if (place.isPresent() && place.get().isBlank()) {
            throw new ConfigurationException("the tracker '" + word + "' has nothing behind the equals sign");
        }
        return switch (name) {
            case "tensorboard" -> new TensorBoardTracker(place.map(Path::of).orElse(output.resolve("runs")));
            case "wandb" -> new WandbTracker(place.map(Path::of).orElse(output));
            case "csv" -> new CsvTracker(place.map(Path::of).orElse(output.resolve("metrics.csv")));
            case "mlflow" -> place.map(uri -> new MlflowTracker(address(uri))).orElseGet(MlflowTracker::new);
            default -> throw new ConfigurationException("unknown tracker '" + name + "'; "
                    + SimilarNames.sentence(name, NAMES));
        };
    }

    private static URI address(String text) {
        try {
            URI uri = URI.create(text);
            if (uri.getHost() != null && List.of("http", "https").contains(uri.getScheme())) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            throw new ConfigurationException("the address '" + text + "' of the tracker mlflow is not valid: "
                    + e.getMessage(), e);
        }
        throw new ConfigurationException("the tracker mlflow needs an address such as http://localhost:5000, got '"
                + text + "'");
    }
}
