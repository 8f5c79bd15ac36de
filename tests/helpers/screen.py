"""What a terminal shows after what a program has written: as much of one as Rich and we need."""

import re

CONTROL = re.compile(r"\x1b\[(\??[\d;]*)([A-Za-z])|(\r|\n)|([^\x1b\r\n]+)")


class Screen:
    """Lines of text, and the cursor."""

    def __init__(self, written):
        self.lines, self.row, self.column, self.hidden = [""], 0, 0, False
        for match in CONTROL.finditer(written):
            number, letter, control, text = match.groups()
            if text:
                self.put(text)
            elif control == "\r":
                self.column = 0
            elif control == "\n":
                self.down()
            else:
                self.do(letter, number)

    def put(self, text):
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = line[: self.column] + text + line[self.column + len(text) :]
        self.column += len(text)

    def down(self):
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append("")

    def do(self, letter, number):
        if letter == "A":
            self.row = max(0, self.row - int(number or 1))
        elif letter == "K":
            self.lines[self.row] = ""
        elif letter == "J":
            self.lines, self.row, self.column = [""], 0, 0
        elif letter in "hl" and number == "?25":
            self.hidden = letter == "l"

    def __str__(self):
        return "\n".join(line.rstrip() for line in self.lines).rstrip("\n")
