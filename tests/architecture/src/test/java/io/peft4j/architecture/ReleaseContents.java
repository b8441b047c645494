package io.peft4j.architecture;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/**
 * What a release consists of: sizes, licences and what jars include of others, told by the metadata of Maven in them.
 *
 * <pre>
 * java ReleaseContents.java page PAGE.md NAME=CLASSPATH.txt...     writes the tables of the page
 * java ReleaseContents.java check PAGE.md NAME=CLASSPATH.txt...    fails where they differ
 * java ReleaseContents.java sbom REPOSITORY BOM.json BOM.xml       adds what jars include to lists of CycloneDX
 * </pre>
 */
final class ReleaseContents {
    private static final Pattern INSIDE = Pattern.compile("META-INF/maven/[^/]+/[^/]+/pom\\.properties");
    private static final Pattern PURL = Pattern.compile("pkg:maven/([^/\"<]+)/([^@\"<]+)@([^?\"<]+)[^\"<]*");
    private static final String BEGIN = "<!-- contents, written by ReleaseContents -->\n";
    private static final String END = "<!-- end of contents -->";
    private static final int LARGEST = 8;

    /** An artifact by its names. */
    private record Artifact(String group, String name, String version) implements Comparable<Artifact> {
        String purl() {
            return "pkg:maven/" + group + "/" + name + "@" + version;
        }

        @Override
        public int compareTo(Artifact other) {
            return Comparator.comparing(Artifact::purl).compare(this, other);
        }
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("sbom")) {
            Path repository = Path.of(args[1]);
            json(repository, Path.of(args[2]));
            xml(repository, Path.of(args[3]));
            return;
        }
        Path page = Path.of(args[1]);
        String text = Files.readString(page);
        int begin = text.indexOf(BEGIN) + BEGIN.length();
        String made = text.substring(0, begin) + "\n" + tables(List.of(args).subList(2, args.length))
                + text.substring(text.indexOf(END, begin));
        if (args[0].equals("page")) {
            Files.writeString(page, made);
        } else if (!made.equals(text)) {
            throw new IllegalStateException(page + " does not say what the release consists of; write it anew with "
                    + "'page'");
        }
    }

    private static String tables(List<String> paths) throws Exception {
        StringBuilder text = new StringBuilder("| Class path | Jars of others | MB |\n|---|---|---|\n");
        Set<Path> all = new LinkedHashSet<>();
        for (String path : paths) {
            String[] parts = path.split("=", 2);
            List<Path> jars = jars(Path.of(parts[1]));
            all.addAll(jars);
            text.append(String.format("| %s | %d | %d |%n", parts[0], jars.size(), megabytes(jars)));
        }
        List<Path> largest = new ArrayList<>(all);
        largest.sort(Comparator.comparingLong(ReleaseContents::size).reversed());
        List<String> sizes = new ArrayList<>();
        for (Path jar : largest.subList(0, Math.min(LARGEST, largest.size()))) {
            sizes.add(artifact(jar).name() + " " + megabytes(List.of(jar)));
        }
        text.append("\nThe largest, in MB: ").append(String.join(", ", sizes)).append(".\n\n");
        text.append("| Jar | Includes |\n|---|---|\n");
        for (Path jar : sorted(all)) {
            List<String> inside = new ArrayList<>();
            inside(jar).forEach(each -> inside.add(each.name() + " " + each.version()));
            if (!inside.isEmpty()) {
                text.append(String.format("| %s | %s |%n", artifact(jar).name(), String.join(", ", inside)));
            }
        }
        twice(all).forEach((names, count) -> text.append("\n").append(count).append(" classes stand in ").append(names)
                .append(".\n"));
        text.append("\n| Licence | Jars |\n|---|---|\n");
        Map<String, Set<String>> licences = new TreeMap<>();
        for (Path jar : all) {
            licences.computeIfAbsent(String.join(" or ", licences(pom(jar))), each -> new TreeSet<>())
                    .add(artifact(jar).name());
        }
        licences.forEach((licence, names) -> text.append("| ").append(licence.isEmpty() ? "none stated" : licence)
                .append(" | ").append(names.size() > LARGEST ? names.size() + " jars" : String.join(", ", names))
                .append(" |\n"));
        return text.toString();
    }

    private static List<Path> sorted(Set<Path> jars) {
        return jars.stream().sorted(Comparator.comparing(jar -> artifact(jar).name())).toList();
    }

    /** The jars of others on a class path; the project's own lie in a folder {@code target}. */
    private static List<Path> jars(Path classPath) throws IOException {
        List<Path> jars = new ArrayList<>();
        for (String entry : Files.readString(classPath).strip().split(":")) {
            if (entry.endsWith(".jar") && !entry.contains("/target/")) {
                jars.add(Path.of(entry));
            }
        }
        return jars;
    }

    private static long size(Path jar) {
        return jar.toFile().length();
    }

    private static long megabytes(List<Path> jars) {
        return Math.round(jars.stream().mapToLong(ReleaseContents::size).sum() / 1e6);
    }

    /** By its place in a repository of Maven; the group there is not told from the folders above. */
    private static Artifact artifact(Path jar) {
        Path version = jar.getParent();
        String classifier = jar.getFileName().toString().replace(version.getParent().getFileName() + "-"
                + version.getFileName(), "").replace(".jar", "");
        return new Artifact("", version.getParent().getFileName() + classifier, version.getFileName().toString());
    }

    /** What a jar holds beside its own artifact. */
    private static Set<Artifact> inside(Path jar) throws IOException {
        Set<Artifact> found = new TreeSet<>();
        String own = jar.getParent().getParent().getFileName().toString();
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            for (ZipEntry entry : zip.stream().filter(each -> INSIDE.matcher(each.getName()).matches()).toList()) {
                Properties properties = new Properties();
                try (InputStream in = zip.getInputStream(entry)) {
                    properties.load(in);
                }
                Artifact artifact = new Artifact(properties.getProperty("groupId"),
                        properties.getProperty("artifactId"), properties.getProperty("version"));
                boolean itself = artifact.name().equals(own) && jar.toString().replace('\\', '/')
                        .contains(artifact.group().replace('.', '/'));
                if (!itself) {
                    found.add(artifact);
                }
            }
        }
        return found;
    }

    private static Map<String, Integer> twice(Set<Path> jars) throws IOException {
        Map<String, String> first = new TreeMap<>();
        Map<String, Integer> counts = new TreeMap<>();
        for (Path jar : sorted(jars)) {
            try (ZipFile zip = new ZipFile(jar.toFile())) {
                for (ZipEntry entry : zip.stream().toList()) {
                    String name = entry.getName();
                    if (name.endsWith(".class") && !name.startsWith("META-INF") && !name.contains("-info.class")) {
                        String former = first.putIfAbsent(name, artifact(jar).name());
                        if (former != null) {
                            counts.merge(former + " and in " + artifact(jar).name(), 1, Integer::sum);
                        }
                    }
                }
            }
        }
        return counts;
    }

    private static Path pom(Path jar) {
        Path version = jar.getParent();
        return version.resolve(version.getParent().getFileName() + "-" + version.getFileName() + ".pom");
    }

    /** Those of a POM, or of the nearest parent that has some. */
    private static List<String> licences(Path pom) throws Exception {
        if (!Files.exists(pom)) {
            return List.of();
        }
        Element project = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(pom.toFile())
                .getDocumentElement();
        Optional<Element> licences = child(project, "licenses");
        if (licences.isPresent()) {
            List<String> names = new ArrayList<>();
            for (Node node = licences.get().getFirstChild(); node != null; node = node.getNextSibling()) {
                if (node instanceof Element licence) {
                    names.add(child(licence, "name").map(name -> name.getTextContent().strip().replaceAll("\\s+", " "))
                            .orElse("?"));
                }
            }
            return names;
        }
        Optional<Element> parent = child(project, "parent");
        if (parent.isEmpty()) {
            return List.of();
        }
        String name = child(parent.get(), "artifactId").orElseThrow().getTextContent().strip();
        String version = child(parent.get(), "version").orElseThrow().getTextContent().strip();
        return licences(repository(pom).resolve(child(parent.get(), "groupId").orElseThrow().getTextContent().strip()
                .replace('.', '/')).resolve(name).resolve(version).resolve(name + "-" + version + ".pom"));
    }

    private static Path repository(Path pom) {
        Path folder = pom;
        while (!folder.getFileName().toString().equals("repository")) {
            folder = folder.getParent();
        }
        return folder;
    }

    private static Optional<Element> child(Element parent, String name) {
        for (Node node = parent.getFirstChild(); node != null; node = node.getNextSibling()) {
            if (node instanceof Element element && element.getTagName().equals(name)) {
                return Optional.of(element);
            }
        }
        return Optional.empty();
    }

    /** The jar that a list names, if it is there. */
    private static Set<Artifact> inside(Path repository, String purl) throws IOException {
        Matcher matcher = PURL.matcher(purl);
        if (!matcher.matches()) {
            return Set.of();
        }
        Path jar = repository.resolve(matcher.group(1).replace('.', '/')).resolve(matcher.group(2))
                .resolve(matcher.group(3)).resolve(matcher.group(2) + "-" + matcher.group(3) + ".jar");
        return Files.exists(jar) ? inside(jar) : Set.of();
    }

    private static void json(Path repository, Path bom) throws IOException {
        StringBuilder made = new StringBuilder();
        boolean components = false;
        for (String line : Files.readString(bom).split("(?<=\n)")) {
            components |= line.strip().startsWith("\"components\"");
            made.append(line);
            Matcher purl = Pattern.compile("\\s*\"purl\" : \"([^\"]+)\",?\\s*").matcher(line);
            if (components && purl.matches()) {
                List<String> inside = new ArrayList<>();
                for (Artifact each : inside(repository, purl.group(1))) {
                    inside.add(String.format("{\"type\" : \"library\", \"group\" : \"%s\", \"name\" : \"%s\", "
                            + "\"version\" : \"%s\", \"purl\" : \"%s\"}", each.group(), each.name(), each.version(),
                            each.purl()));
                }
                if (!inside.isEmpty()) {
                    made.insert(made.length() - line.length(), "      \"components\" : [" + String.join(", ", inside)
                            + "],\n");
                }
            }
        }
        Files.writeString(bom, made.toString());
    }

    private static void xml(Path repository, Path bom) throws IOException {
        StringBuilder made = new StringBuilder();
        String inside = "";
        for (String line : Files.readString(bom, StandardCharsets.UTF_8).split("(?<=\n)")) {
            Matcher purl = Pattern.compile("\\s*<purl>([^<]+)</purl>\\s*").matcher(line);
            if (purl.matches()) {
                StringBuilder all = new StringBuilder();
                for (Artifact each : inside(repository, purl.group(1))) {
                    all.append("<component type=\"library\"><group>").append(each.group()).append("</group><name>")
                            .append(each.name()).append("</name><version>").append(each.version())
                            .append("</version><purl>").append(each.purl()).append("</purl></component>");
                }
                inside = all.isEmpty() ? "" : "      <components>" + all + "</components>\n";
            }
            if (line.strip().equals("</component>")) {
                made.append(inside);
                inside = "";
            }
            made.append(line);
        }
        // It is still well-formed.
        try {
            DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new ByteArrayInputStream(made.toString()
                    .getBytes(StandardCharsets.UTF_8)));
        } catch (Exception e) {
            throw new IOException("the list " + bom + " would be damaged", e);
        }
        Files.writeString(bom, made.toString());
    }
}
