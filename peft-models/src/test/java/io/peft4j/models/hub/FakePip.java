package io.peft4j.models.hub;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;

/**
 * A program that behaves like pip as far as {@link PipCommand} sees it: FakePip FOLDER BEHAVIOURS download ... The
 * folder holds the wheels {@code good.whl} and {@code other.whl}; the behaviours are one for each run, the last one
 * repeated.
 */
final class FakePip {

    private FakePip() {
    }

    /** The command line that starts it. */
    static List<String> command(Path folder, String behaviours) {
        return List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xshare:auto", "-cp",
                System.getProperty("java.class.path"), FakePip.class.getName(), folder.toString(), behaviours);
    }

    static List<String> runs(Path folder) throws IOException {
        Path log = folder.resolve("runs");
        return Files.exists(log) ? Files.readAllLines(log) : List.of();
    }

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        List<String> behaviours = List.of(args[1].split(","));
        List<String> pipArgs = List.of(args).subList(2, args.length);
        int run = runs(folder).size();
        Files.writeString(folder.resolve("runs"), String.join(" ", pipArgs) + "\n", StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
        Path target = Path.of(pipArgs.get(pipArgs.indexOf("--dest") + 1)).resolve("fake-1.0-py3-none-any.whl");
        byte[] wheel = Files.readAllBytes(folder.resolve("good.whl"));
        switch (behaviours.get(Math.min(run, behaviours.size() - 1))) {
            case "good" -> {
                Path temporary = Path.of(System.getenv("TMPDIR")).resolve("fake.whl");
                try (OutputStream out = Files.newOutputStream(temporary)) {
                    out.write(wheel, 0, wheel.length / 2);
                    out.flush();
                    // Long enough for the watcher to see a half.
                    Thread.sleep(500);
                    out.write(wheel, wheel.length / 2, wheel.length - wheel.length / 2);
                }
                Files.move(temporary, target);
            }
            case "broken" -> {
                Files.write(target.resolveSibling("part.whl"), Arrays.copyOf(wheel, wheel.length / 2));
                fail("ERROR: Exception: connection reset");
            }
            case "short" -> Files.write(target, Arrays.copyOf(wheel, wheel.length / 2));
            case "other" -> Files.copy(folder.resolve("other.whl"), target);
            case "nothing" -> System.out.println("done, says pip");
            case "no-match" -> fail("ERROR: Could not find a version\nERROR: No matching distribution found for x");
            case "no-pip" -> fail("/usr/bin/python3: No module named pip");
            case "hang" -> Thread.sleep(600_000);
            default -> throw new IllegalArgumentException(args[1]);
        }
    }

    private static void fail(String text) {
        System.err.println(text);
        System.exit(1);
    }
}
