import java.util.*;
import org.mp4parser.*;
import org.mp4parser.support.AbstractBox;

/** Parses the files that are named on standard input, one a line, and prints the boxes of each: ftyp moov(mvhd ...) ... */
class BoxCheck {
  static String describe(List<Box> boxes) {
    var words = new ArrayList<String>();
    for (var box : boxes) {
      if (box instanceof AbstractBox parsed) parsed.parseDetails();  // throws where content and size disagree
      words.add(box.getType() + (box instanceof Container inner ? "(" + describe(inner.getBoxes()) + ")" : ""));
    }
    return String.join(" ", words);
  }

  static long size(List<Box> boxes) {
    return boxes.stream().mapToLong(Box::getSize).sum();
  }

  public static void main(String[] arguments) throws Exception {
    for (var names = new Scanner(System.in); names.hasNextLine();) {
      var name = names.nextLine();
      try (var file = new IsoFile(name)) {
        if (size(file.getBoxes()) != new java.io.File(name).length()) throw new Exception(name + ": boxes end before the file");
        System.out.println(describe(file.getBoxes()));
      }
    }
  }
}
