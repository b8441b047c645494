package io.peft4j.models.hub;

import java.util.List;
import java.util.Optional;

/**
 * The files of a model at one commit.
 *
 * @param commit the commit
 * @param files all its files
 */
record HubListing(String commit, List<HubFile> files) {

    Optional<HubFile> find(String name) {
        return files.stream().filter(file -> file.name().equals(name)).findFirst();
    }

    List<String> names(String suffix) {
        return files.stream().map(HubFile::name).filter(name -> name.endsWith(suffix)).sorted().toList();
    }
}
