package io.peft4j.fuzz;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A reader and how to make damaged files for it.
 *
 * @param name what it reads
 * @param share how often its turn comes among all
 * @param maker writes the files into an empty folder
 * @param reader reads all of them
 */
record FuzzTarget(String name, int share, Maker maker, Reader reader) {
    /** Makes the files. */
    interface Maker {
        void make(Damage damage, Path folder) throws IOException;
    }

    /** Reads the files; whatever it throws other than exceptions of this project is a failure. */
    interface Reader {
        void read(Damage damage, Path folder) throws IOException;
    }
}
