// Reads a file with the parser of the tool that uses it, and says what it found; ends with 1 and the reason where it cannot.
//   java -cp 'libs/*' Parse.java hive FILE.hql
//   java -cp 'libs/*' Parse.java flume FILE.conf AGENT
import java.io.FileReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.flume.conf.FlumeConfiguration;
import org.apache.hadoop.hive.ql.parse.ParseDriver;

public class Parse {
  public static void main(String[] arguments) throws Exception {
    switch (arguments[0]) {
      case "hive" -> hive(Path.of(arguments[1]));
      case "flume" -> flume(Path.of(arguments[1]), arguments[2]);
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  /** Statements end with a semicolon, as beeline and the Hive CLI have it; comments are theirs, too. */
  private static void hive(Path file) throws Exception {
    StringBuilder text = new StringBuilder();
    for (String line : Files.readAllLines(file)) {
      if (!line.stripLeading().startsWith("--")) {
        text.append(line).append('\n');
      }
    }
    for (String statement : text.toString().split(";")) {
      if (!statement.isBlank()) {
        System.out.println(new ParseDriver().parse(statement).toStringTree());
      }
    }
  }

  private static void flume(Path file, String agent) throws Exception {
    Properties properties = new Properties();
    try (FileReader reader = new FileReader(file.toFile())) {
      properties.load(reader);
    }
    Map<String, String> all = new HashMap<>();
    properties.forEach((key, value) -> all.put((String) key, (String) value));
    FlumeConfiguration configuration = new FlumeConfiguration(all);
    configuration.getConfigurationErrors().forEach(error -> {
      System.err.println(error);
      System.exit(1);
    });
    FlumeConfiguration.AgentConfiguration found = configuration.getConfigurationFor(agent);
    if (found == null) {
      System.err.println("no agent " + agent);
      System.exit(1);
    }
    // what it cannot configure it leaves out, with a warning
    Map<String, Set<String>> active =
        Map.of(
            "sources", found.getSourceSet(),
            "channels", found.getChannelSet(),
            "sinks", found.getSinkSet());
    active.forEach((kind, names) -> {
      String[] wanted = all.get(agent + "." + kind).split(" ");
      if (!names.containsAll(Arrays.asList(wanted))) {
        System.err.println("not all " + kind + " can be configured: " + names);
        System.exit(1);
      }
    });
    System.out.println("sources " + found.getSourceSet());
    System.out.println("channels " + found.getChannelSet());
    System.out.println("sinks " + found.getSinkSet());
    found.getSourceContext().forEach((name, context) -> System.out.println(name + " " + context));
    found.getSinkContext().forEach((name, context) -> System.out.println(name + " " + context));
  }
}
